import { allowed } from "../state/current";
import { guard, warn } from "./guard";
import { arrival, script } from "./script";

export type Gated = HTMLElement & Partial<Pick<HTMLScriptElement, "text">>;

/** What to do with a frame, or a box for what a script draws, that stays shut. */
export type Cover = (frame: Gated, key: string) => unknown;

const covered = new WeakSet<Element>();
let line: Promise<unknown> = Promise.resolve();

/** A copy that runs: changing the type of a script in place does nothing. */
function run(old: Gated): unknown {
  const { src, type } = old.dataset;
  const live = script(src || old.getAttribute("src"), old.text);
  for (const { name, value } of old.attributes)
    if (!/^(type|src|nonce)$/.test(name)) live.setAttribute(name, value);
  live.nonce = old.nonce || live.nonce;
  if (type) live.type = type;
  live.async = old.hasAttribute("async");
  const come = arrival(live);
  old.replaceWith(live);
  return live.src && !live.async && come;
}

function unfold({ content, dataset }: HTMLTemplateElement): Node {
  const copy = document.importNode(content, true);
  // Scripts of the content take their place in the line.
  for (const inner of copy.querySelectorAll("script")) {
    inner.dataset.type = inner.type;
    inner.type = "text/plain";
    inner.dataset.consent = dataset.consent;
  }
  return copy;
}

export function open(gated: Gated): void {
  if (gated instanceof HTMLTemplateElement) gated.replaceWith(unfold(gated));
  gated.removeAttribute("data-consent");
  if (gated instanceof HTMLScriptElement)
    // One after the other as they stand in the document, whether inline or not.
    line = line.then(guard(() => run(gated)));
  else if (gated.dataset.src) gated.setAttribute("src", gated.dataset.src);
}

/** Open what is granted of the gated markup, in document order. */
export function sweep(cover: Cover): void {
  for (const gated of document.querySelectorAll<Gated>("[data-consent]")) {
    const key = gated.dataset.consent!;
    const on = allowed(key);
    if (on) {
      open(gated);
      // What a template held stands in the page only now, and before what follows it.
      if (gated.tagName == "TEMPLATE") return sweep(cover);
    } else if (on == null) warn("unknown key " + key);
    else if (/IFRAME|DIV/.test(gated.tagName) && !covered.has(gated)) {
      covered.add(gated);
      cover(gated, key);
    }
  }
}

/** Sweep now and whenever elements are added. */
export function watch(cover: Cover): void {
  const again = guard(() => sweep(cover));
  again();
  new MutationObserver(again).observe(document, { childList: true, subtree: true });
}
