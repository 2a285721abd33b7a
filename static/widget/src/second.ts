import { host, page, root } from "./banner";
import { base } from "./client";
import { readConfig, type Config } from "./config";
import { adopt, allowed, choice, config, receiptUrl } from "./current";
import { always, decide, decideAll } from "./decide";
import { button, element, paint } from "./element";
import { open, type Gated } from "./gate";
import { load, tag } from "./script";
import { complete } from "./state";

/** What the second layer, a script of its own, gets to work with. */
const kit = () => ({ base, config, choice, receiptUrl, host, root, allowed, complete, decide, decideAll, button, element, paint, open, always });

export type Kit = ReturnType<typeof kit>;

/** What the second layer does for the first: all that no first view needs. */
export interface Second {
  /** Show the preferences. */
  show(kit: Kit): void;
  /** Stand in for a frame that is not allowed. */
  cover(kit: Kit, frame: Gated, key: string): void;
  /** Let what has the focus be seen. */
  clear(kit: Kit, focused: Element): void;
  /** Delete what denied vendors have stored. */
  purge(kit: Kit): void;
}

let second: Second | null = null;
let coming: Promise<unknown> | null = null;

/** A later script of ours reports here: the second layer, or the same notice in the page's language. */
export function receive(given: Config | null, layer?: Second): void {
  if (layer) second = layer;
  else if (readConfig(given)?.site == config.site) adopt(given!);
}

let localised: Promise<unknown>;

/** Get the texts in the page's language, only when they are to be shown, so that a returning visitor needs no second request. */
export function localise(): Promise<unknown> | undefined {
  const language = page.lang.split("-")[0].toLowerCase();
  if (language != config.language && config.languages.includes(language) && !/[?&]lang=/.test(tag.src))
    return (localised ??= load(tag.src.split("?")[0] + "?lang=" + language));
}

/** Fetch the second layer once, in the page's language; settles with whether the work could be done. */
export async function withSecond(work: (layer: Second, kit: Kit) => void): Promise<boolean> {
  await localise();
  await (second || (coming ??= load(`${base}/widget/${config.site}/preferences.js?lang=${config.language}`)));
  coming = null;
  if (second) work(second, kit());
  return !!second;
}
