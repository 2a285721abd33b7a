import { guard, warn, warnings } from "../page/guard";
import { base, load, script, tag } from "../page/script";
import type { Config } from "../state/config";
import { allowed, choice, config, holdReceipt, useConfig } from "../state/current";
import { acts } from "./acts";
import { host, say } from "./banner";

/** What the later scripts get to work with. */
const kit = () => ({
  ...acts, base, config, choice, standing: () => choice, host, warnings, allowed, guard, holdReceipt, later, say, script, warn,
});

export type Kit = ReturnType<typeof kit>;

/** Places an element of the dialog in the page's own DOM; what it returns stands where that is to be seen. */
export type Slotted = (made: HTMLElement, name: string) => HTMLElement;

/** What later scripts do for the first: all that no first view needs. */
export interface Works {
  /** Show the preferences. */
  show(kit: Kit): void;
  /** Put what there is to know of a vendor in the place that is kept for it. */
  facts(kit: Kit, place: Element, key: string): void;
  /** Put what the visitor chose in the place that is kept for it. */
  mine(kit: Kit, place: Element, slotted: Slotted): void;
  /** Gate the markup of the page. */
  markup(kit: Kit): void;
  /** Let Global Privacy Control take back what it covers, or go on as before. */
  signal(kit: Kit, follow: () => void): void;
  /** Say beside the banner that the browser sends Global Privacy Control. */
  gpc(kit: Kit, place: Element): void;
  /** Take the server's answer to a decision. */
  answer(kit: Kit, line: string, coming: Promise<Response | undefined>): void;
  /** Grant one purpose or vendor and leave the rest as it stands, or as it is asked. */
  always(kit: Kit, key: string): void;
  /** Let what has the focus be seen, and the end of the page. */
  clear(kit: Kit, focused?: Element): void;
  /** Do what is owed from earlier pages. */
  catchUp(kit: Kit): void;
  /** Delete what denied vendors have stored; with `leaving`, load the page anew then. */
  purge(kit: Kit, leaving: boolean): void;
  /** Tell, when this page is left, which vendors could run in it. */
  sample(kit: Kit): void;
  /** Show the site's developers what goes on. */
  debug(kit: Kit): void;
}

type Given<K extends keyof Works> = Works[K] extends (kit: any, ...given: infer Rest) => void ? Rest : never;

// A page may have put methods on every object.
const works = { __proto__: null } as Partial<Works>;
const coming: Record<string, Promise<unknown>> = {};

/** A later script reports here: what it can do, or the same notice in the page's language. */
export function receive(given: Config | null, more?: Partial<Works>): void {
  if (more) Object.assign(works, more);
  else if (!localised || given?.site != config.site) warn("take one of these two tags out");
  else useConfig(given!);
}

let localised: Promise<unknown>;

/**
 * Get the texts in the page's language, only when they are to be shown, so that a returning visitor needs no second
 * request. The server knows which of the offered languages the page's readers read.
 */
export function localise(): Promise<unknown> | undefined {
  const { lang } = document.documentElement;
  if (tag && lang && lang.toLowerCase().split(/[-_]/)[0] != config.language && !/[?&]lang=/.test(tag.src))
    return (localised ??= load(tag.src.split("?")[0] + "?lang=" + lang));
}

/** Have a later script work: fetched once, in the page's language. Settles with whether the work could be done. */
export async function later<K extends keyof Works>(name: K, ...given: Given<K>): Promise<boolean> {
  let work: ((kit: Kit, ...given: Given<K>) => void) | undefined;
  try {
    await localise();
    const file = name == "debug" ? "debug" : name == "show" ? "preferences" : "details";
    await (works[name] || (coming[file] ??= load(`${base}/widget/${config.site}/${file}.js?lang=${config.language}`)));
    delete coming[file];
    work = works[name] as typeof work;
    // A page that goes loads nothing more either.
    work ? work(kit(), ...given) : setTimeout(warn, 999, `is ${base} in script-src?`);
  } catch (fault) {
    // A policy of the page that forbids the script, too.
    warn(fault);
  }
  return !!work;
}
