import type { Config, Flags, Purpose } from "./config";

/** What of an answer matters here. */
interface Answer {
  grants: Flags;
  vendors: Flags;
}

/**
 * What a rule of the place, or a purpose's basis, lets run before a choice. Only the second build of the widget has this
 * file (RULES), and only pages where something runs before a choice load that.
 */

/** Purposes and vendors that no grant is needed for: they run until somebody objects. */
let unasked: string[] = [];

export const needsGrant = (key: string): boolean => !unasked.includes(key);

/** Take a notice's rule. The browser's signal is an objection that was there before the page. */
export function useRule({ purposes, vendors }: Pick<Config, "purposes" | "vendors">, signal: boolean): void {
  const keys = purposes.filter(({ on }) => on != null).map(({ key }) => key);
  for (const purpose of purposes) if (purpose.on && purpose.gpc && signal) purpose.on = false;
  unasked = [...keys, ...vendors.filter((vendor) => vendor.purposes.every((key) => keys.includes(key))).map(({ key }) => key)];
}

/** An answer with what holds of each purpose as long as it says nothing of it. */
export const standing = (purposes: Purpose[], answer: Answer | null): Answer => ({
  grants: { ...Object.fromEntries(purposes.filter(({ on }) => on).map(({ key }) => [key, true])), ...answer?.grants },
  vendors: { ...answer?.vendors },
});

const only = (flags: Flags, keep: (key: string, on: boolean) => boolean): Flags =>
  Object.fromEntries(Object.entries(flags).filter(([key, on]) => keep(key, on)));

/** What of an answer is a grant, and may so have an identifier. */
export const granted = ({ grants, vendors }: Answer): Answer =>
  ({ grants: only(grants, needsGrant), vendors: only(vendors, needsGrant) });

/** What is left of a choice under another notice, or in another place: what was refused stays so where nothing is asked. */
export const objections = <C extends Answer>(choice: C, revision: string): C => {
  const refused = (key: string, on: boolean) => !on && !needsGrant(key);
  return { ...choice, revision, grants: only(choice.grants, refused), vendors: only(choice.vendors, refused) };
};

/** The edition of the notice in the cookie: that of a choice, or that of which the visitor was told. */
let edition: string | null;

export const useEdition = (text: string): void => void (edition = new URLSearchParams(text).get("n"));

export const wasTold = (revision: string): boolean => edition == revision;

/** What is kept of who was told, and did nothing: the notice's edition, without a time. */
export const told = (revision: string) => ({ grants: {} as Flags, vendors: {} as Flags, action: "", revision, gpc: false });
