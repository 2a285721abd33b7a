import { placeholder } from "./placeholder";
import { guard, warn } from "./guard";
import { arrival, script } from "./script";

type Gated = HTMLElement & Partial<Pick<HTMLScriptElement, "text" | "src">>;

export interface Keeper {
  /** undefined: the notice does not know this key. */
  allows(key: string): boolean | undefined;
  /** The placeholder's text and its two buttons' texts. */
  texts(key: string): string[];
  /** The visitor's "always". */
  always(key: string): void;
}

const SELECTOR = 'script[type="text/plain"][data-consent],template[data-consent],iframe[data-src][data-consent],img[data-src][data-consent]';
const standIns = new Map<HTMLElement, HTMLElement>();
let line: Promise<unknown> | null = null;

/** A copy that runs: changing the type of a script in place does nothing. */
function revive(old: Gated): HTMLScriptElement {
  const src = old.dataset.src || old.getAttribute("src");
  const live = script(src, old.text);
  for (const { name, value } of Array.from(old.attributes))
    if (!/^(type|src|nonce|data-(src|consent|type))$/.test(name)) live.setAttribute(name, value);
  if (old.nonce) live.nonce = old.nonce;
  if (old.dataset.type) live.type = old.dataset.type;
  live.async = old.hasAttribute("async");
  return live;
}

/** Scripts run one after the other as they stand in the document, whether inline or not. */
function run(old: Gated): unknown {
  const live = revive(old);
  const come = live.src && !live.async && arrival(live);
  old.replaceWith(live);
  return come;
}

function open(gated: Gated): void {
  const { src, consent } = gated.dataset;
  if (gated.tagName == "SCRIPT") {
    gated.removeAttribute("data-consent");
    line = line ? line.then(() => guard(run)(gated)) : Promise.resolve(guard(run)(gated));
  } else if (gated.tagName == "TEMPLATE") unfold(gated as HTMLTemplateElement, consent!);
  else {
    standIns.get(gated)?.remove();
    gated.style.removeProperty("display");
    gated.setAttribute("src", src!);
    gated.removeAttribute("data-src");
  }
}

function unfold(template: HTMLTemplateElement, consent: string): void {
  const content = document.importNode(template.content, true);
  // Scripts of the content take their place in the line.
  for (const inner of content.querySelectorAll("script")) {
    if (inner.type) inner.dataset.type = inner.type;
    inner.type = "text/plain";
    inner.dataset.consent = consent;
  }
  template.replaceWith(content);
}

function shut(gated: Gated, key: string, keeper: Keeper): void {
  if (gated.tagName != "IFRAME" || standIns.has(gated)) return;
  standIns.set(gated, placeholder(gated, keeper.texts(key), (action) => {
    if (action == "once") open(gated);
    if (action == "always") keeper.always(key);
  }));
}

/** Open what is granted of the gated markup, in document order; frames that stay shut get a placeholder. */
export function sweep(keeper: Keeper): void {
  for (const gated of document.querySelectorAll<Gated>(SELECTOR)) {
    const key = gated.dataset.consent!;
    const on = keeper.allows(key);
    if (on) {
      open(gated);
      // What a template held stands in the page only now, and before what follows it.
      if (gated.tagName == "TEMPLATE") return sweep(keeper);
    } else if (on == null) warn("unknown key " + key);
    else shut(gated, key, keeper);
  }
}

/** Sweep now and whenever elements are added. */
export function watch(keeper: Keeper): void {
  const again = guard(() => sweep(keeper));
  again();
  new MutationObserver(again).observe(document, { childList: true, subtree: true });
}
