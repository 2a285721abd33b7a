import type { Kit } from "../layers/later";
import { arrival, startTag } from "../page/element";
import { everywhere } from "./roots";

/** What to do with a frame, or a box for what a script draws, that stays shut. */
export type Cover = (gated: HTMLElement, key: string) => void;

let kit: Kit;
let cover: Cover;
/** What the widget put into the page for gated elements; it goes when they go. No Map: pages take that name. */
let companions: [HTMLElement, ChildNode[]][] = [];
/** What was opened, and what was let in this time only, with its address: another one is another matter. */
const opened = new WeakMap<HTMLElement, string | undefined>();
const once = new WeakMap<HTMLElement, string | undefined>();
/** Scripts run in the order of the document; those of another key are not waited for when they hang. */
let line: Promise<unknown> = Promise.resolve();
const lines: Record<string, Promise<unknown>> = {};
/** How long a script is waited for, in milliseconds, by those of its own key and by all others. */
const OWN = 10_000;
const OTHERS = 1_000;

const source = ({ dataset }: HTMLElement) => dataset.consentSrc || dataset.src;

/** Have something of the widget's stand beside a gated element, which itself stays where it is: it may be a framework's. */
export const accompany = (gated: HTMLElement, made: Iterable<ChildNode>): unknown => companions.push([gated, [...made]]);

function dismiss(gated: HTMLElement): void {
  for (const [owner, made] of companions) if (owner == gated) made.forEach((node) => node.remove());
  companions = companions.filter(([owner]) => owner != gated);
}

/** Hide what a stand-in stands for. How it was displayed is kept in the element, and so in each copy of it. */
export function hide({ dataset, style }: HTMLElement): void {
  dataset.consentHeld ??= style.getPropertyValue("display") + "!" + style.getPropertyPriority("display");
  style.setProperty("display", "none", "important");
}

export function reveal({ dataset, style }: HTMLElement): void {
  const [display, priority] = dataset.consentHeld!.split("!");
  style.setProperty("display", display, priority);
}

function uncover(gated: HTMLElement): void {
  if (gated.dataset.consentHeld == null) return;
  reveal(gated);
  delete gated.dataset.consentHeld;
  dismiss(gated);
}

/** Run a copy: the element itself never runs, and whoever made it still has it. */
function run(gated: HTMLScriptElement): unknown {
  const { dataset, text, attributes } = gated;
  const live = kit.script(source(gated) || gated.getAttribute("src"), text);
  // Else markup that somebody put into the page would run by the widget's own right.
  if (live.nonce && gated.nonce != live.nonce)
    return kit.warn(`without the page's nonce it does not run, give it nonce="…" as the other scripts have: ${startTag(gated)}`);
  for (const { name, value } of attributes)
    if (!/^(type|src|nonce|on.*|data-consent.*)$/.test(name)) live.setAttribute(name, value);
  if (dataset.type) live.type = dataset.type;
  live.dataset.consentDone = "";
  live.async = gated.hasAttribute("async");
  const come = arrival(live).then((event) => gated.dispatchEvent(new Event((event as Event).type)));
  const isInline = !live.src && !live.type;
  // It would write the page anew.
  if (isInline) document.write = document.writeln = () => kit.warn(`document.write does nothing in ${startTag(gated)}`);
  // First, so that a script that looks itself up by its id finds what runs.
  gated.before(live);
  if (isInline) {
    delete (document as Partial<Document>).write;
    delete (document as Partial<Document>).writeln;
    return live.remove();
  }
  accompany(gated, [live]);
  return live.async || !live.src || atMost(OWN, come);
}

const atMost = (patience: number, coming: Promise<unknown>) =>
  new Promise((done) => {
    coming.then(done);
    setTimeout(done, patience);
  });

function queue(gated: HTMLScriptElement, key: string): void {
  const own = lines[key];
  const mine = (lines[key] = atMost(OTHERS, line).then(() => own).then(kit.guard(() => run(gated))));
  line = line.then(() => mine);
}

function unfold(gated: HTMLTemplateElement, key: string): void {
  const copy = document.importNode(gated.content, true);
  // Scripts of the content take their place in the line.
  for (const inner of copy.querySelectorAll("script")) {
    inner.dataset.type = inner.type;
    inner.type = "text/plain";
    inner.dataset.consent = key;
  }
  accompany(gated, copy.childNodes);
  gated.after(copy);
}

/** Give an element its address, where its kind has it. */
function address(gated: HTMLElement, src: string | undefined): void {
  const name = { link: "href", object: "data" }[gated.localName] || "src";
  const { srcset } = gated.dataset;
  if (srcset) gated.setAttribute("srcset", srcset);
  if (src && gated.getAttribute(name) != src) gated.setAttribute(name, src);
  // A film looks at its sources once.
  if (gated.localName == "source") (gated.parentElement as HTMLMediaElement).load?.();
}

/** Open what is granted; returns true where that brought more gated markup. */
function open(gated: HTMLElement, key: string): boolean | void {
  const { dataset, localName } = gated;
  const src = source(gated);
  uncover(gated);
  if (!/^(script|template)$/.test(localName)) {
    if (opened.has(gated) && opened.get(gated) == src) return;
    address(gated, src);
    opened.set(gated, src);
  } else if (dataset.consentDone == null) {
    // In the element, and so in each copy of it: that runs no more than a copy of any script does.
    dataset.consentDone = "";
    if (localName == "script") (gated as HTMLScriptElement).noModule || queue(gated as HTMLScriptElement, key);
    else return unfold(gated as HTMLTemplateElement, key), true;
  }
}

function shut(gated: HTMLElement, key: string): void {
  if (opened.delete(gated)) gated.removeAttribute("src");
  if (/^(iframe|div)$/.test(gated.localName) && !companions.some(([owner]) => owner == gated)) cover(gated, key);
}

/** Let in what a stand-in stands for, this time. */
export function openOnce(gated: HTMLElement): void {
  once.set(gated, source(gated));
  sweep();
}

/** Whether the visitor let it in this time, or the box that it stands in. */
const isLetIn = (gated: HTMLElement | null): boolean =>
  !!gated && (once.has(gated) && once.get(gated) == source(gated) || isLetIn(gated.parentElement));

function warnOfKey(gated: HTMLElement, key: string): void {
  const { purposes, vendors } = kit.config;
  const keys = [...purposes, ...vendors].map((known) => known.key);
  kit.warn(`"${key}" is no purpose and no vendor of the site file, write ${keys.join(" or ")}: ${startTag(gated)}`);
}

/** Let gated markup follow the choice, in document order; as often as it, or the choice, changes. */
export function sweep(): void {
  for (const [gated, [made]] of companions)
    if (gated.isConnected && gated.dataset.consent == null) uncover(gated);
    else if (!gated.isConnected) {
      dismiss(gated);
      // Should it come back, it starts anew.
      if (gated.localName == "template") delete gated.dataset.consentDone;
    } else if (gated.dataset.consentHeld != null && made.nextSibling != gated) gated.before(made);
  const own = companions.flatMap(([, made]) => made);
  for (const gated of everywhere("[data-consent],consent-placeholder")) {
    const key = gated.dataset.consent!;
    // A stand-in that was copied with the page around it.
    if (gated.localName == "consent-placeholder") own.includes(gated) || gated.remove();
    else if (kit.allowed(key) || isLetIn(gated)) {
      // What a template held stands in the page only now, and before what follows it.
      if (open(gated, key)) return sweep();
    } else if (kit.allowed(key) == null) warnOfKey(gated, key);
    else shut(gated, key);
  }
}

/** What sweeps work with. */
export function useGate(given: Kit, how: Cover): void {
  kit = given;
  cover = how;
}
