import { button, element, paint } from "../page/element";
import { open, type Gated } from "../page/gate";
import { said } from "../page/guard";
import { base, load, tag } from "../page/script";
import { readConfig, type Config } from "../state/config";
import { allowed, choice, config, receiptUrl, useConfig } from "../state/current";
import { complete } from "../state/state";
import { acts } from "./acts";
import { host, page, root } from "./banner";

/** What the later scripts get to work with. */
const kit = () => ({ ...acts, base, config, choice, receiptUrl, host, root, allowed, complete, button, element, paint, open, later, warnings: said });

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
  /** Stand in for a frame that is not allowed. */
  cover(kit: Kit, frame: Gated, key: string): void;
  /** Let what has the focus be seen. */
  clear(kit: Kit, focused: Element): void;
  /** Delete what denied vendors have stored. */
  purge(kit: Kit): void;
  /** Show the page's developers what goes on; done as soon as the script for it has come. */
  debug(kit: Kit): void;
}

type Given<K extends keyof Works> = Works[K] extends (kit: any, ...given: infer Rest) => void ? Rest : never;

// A page may have put methods on every object.
const works = { __proto__: null } as Partial<Works>;
const coming: Record<string, Promise<unknown>> = {};

/** A later script reports here: what it can do, or the same notice in the page's language. */
export function receive(given: Config | null, more?: Partial<Works>): void {
  if (more) {
    Object.assign(works, more);
    more.debug?.(kit());
  } else if (readConfig(given)?.site == config.site) useConfig(given!);
}

let localised: Promise<unknown>;

/** Get the texts in the page's language, only when they are to be shown, so that a returning visitor needs no second request. */
export function localise(): Promise<unknown> | undefined {
  const language = page.lang.split("-")[0].toLowerCase();
  if (language != config.language && config.languages.includes(language) && !/[?&]lang=/.test(tag.src))
    return (localised ??= load(tag.src.split("?")[0] + "?lang=" + language));
}

/** Have a later script work: fetched once, in the page's language. Settles with whether the work could be done. */
export async function later<K extends keyof Works>(name: K, ...given: Given<K>): Promise<boolean> {
  await localise();
  const script = name == "show" ? "preferences" : "details";
  await (works[name] || (coming[script] ??= load(`${base}/widget/${config.site}/${script}.js?lang=${config.language}`)));
  delete coming[script];
  const work = works[name] as ((kit: Kit, ...given: Given<K>) => void) | undefined;
  work?.(kit(), ...given);
  return !!work;
}
