import { host, isOpen, mount, rest, root, say, showBanner } from "./banner";
import { base, count } from "./client";
import type { Config } from "./config";
import { adopt, allowed, choice, config, receiptUrl } from "./current";
import { decide, decideAll } from "./decide";
import { button, element, paint } from "./element";
import { guard } from "./guard";
import { load, tag } from "./script";
import { complete } from "./state";
import { tell } from "./api";

/** What the second layer, a script of its own, gets to work with. */
export const kit = () => ({ config, choice, receiptUrl, host, root, allowed, complete, decide, decideAll, button, element, paint });

export type Kit = ReturnType<typeof kit>;

type Render = (kit: Kit) => void;

let second: Render | undefined;
let coming: Promise<boolean> | null = null;
let localised: Promise<unknown> | null = null;
let shown = false;

/** A later script of ours reports here: the second layer, or the same notice in the page's language. */
export function receive(given: Config | null, render?: Render): void {
  if (render) second = render;
  else if (given && given.site == config.site) adopt(given);
}

/** Get the texts in the page's language, only when they are to be shown, so that a returning visitor needs no second request. */
function localise(): Promise<unknown> {
  const language = document.documentElement.lang.split("-")[0].toLowerCase();
  const other = language != config.language && config.languages.includes(language) && !/[?&]lang=/.test(tag.src);
  return (localised = localised || (other ? load(tag.src.split("?")[0] + "?lang=" + language) : Promise.resolve()));
}

/** Settles once there is a body to stand in. */
const body = new Promise<void>((done) => {
  const look = () => document.body && (observer.disconnect(), done());
  const observer = new MutationObserver(look);
  observer.observe(document, { childList: true, subtree: true });
  look();
});

const stand = () => host || mount(act, fetchSecond);

export const show = guard(async () => {
  await Promise.all([body, localise()]);
  stand();
  showBanner();
  tell("shown");
  if (!shown && !choice) count();
  shown = true;
});

/** Take the banner away and leave the way back. */
export const retire = guard(async (saved?: boolean) => {
  await body;
  stand();
  rest();
  if (saved) say(config.texts.saved);
});

function fetchSecond(): Promise<boolean> {
  return (coming = coming || load(`${base}/widget/${config.site}/preferences.js?lang=${config.language}`));
}

export const showPreferences = guard(async () => {
  await Promise.all([body, localise()]);
  stand();
  if (!second) await fetchSecond();
  coming = null;
  if (second) second(kit());
  else say(config.texts.failed);
});

const act = guard((action: string) => {
  if (action == "customise") showPreferences();
  if (action == "accept") decideAll("accept_all", "banner");
  if (/refuse|close/.test(action)) decideAll("refuse_all", "banner");
});

export function listen(): void {
  document.addEventListener("click", guard(({ target }: Event) => {
    if ((target as Element).closest?.("[data-consent-open]")) showPreferences();
  }));
  document.addEventListener("keydown", guard(({ key, target }: KeyboardEvent) => {
    const near = target == document.body || host?.contains(target as Node);
    if (key == "Escape" && near && isOpen()) decideAll("refuse_all", "banner");
  }));
}
