import { findWidget } from "./consent.js";
import type { ConsentWidget } from "./consent-widget.js";

export type { Action, ConsentEvents, ConsentWidget, ConversionParams, Decision, Problem } from "./consent-widget.js";

export interface LoadOptions {
  /** The key of the site. */
  site: string;
  /** Where the consent server is: its address, or a path of the page's own host such as `/_consent`. */
  server: string;
  /** The page's nonce, where its policy asks for one. */
  nonce?: string;
  /** The language to ask in, in place of the page's and the browser's. */
  language?: string;
  /** Show the overlay for developers. */
  debug?: boolean;
}

type Rules = { createScriptURL(url: string): string };

let rules: Rules;
const loads: Record<string, Promise<ConsentWidget>> = {};

/**
 * Load the widget once, also when called again or when the page has the tag already. Rejects, and says why, when it
 * does not come or the server knows no such site; a later call tries again. On a server it never settles.
 */
export function loadConsentWidget(options: LoadOptions): Promise<ConsentWidget> {
  // Nobody is there to be asked. A rejection that nobody handles would end the process.
  if (typeof document == "undefined") return new Promise(() => {});
  const { site, server } = options;
  const address = `${server.replace(/\/+$/, "")}/widget/${encodeURIComponent(site)}.js`;
  return (loads[address] ??= load(address, options).catch((fault) => {
    delete loads[address];
    throw fault;
  }));
}

async function load(address: string, options: LoadOptions): Promise<ConsentWidget> {
  const widget = findWidget();
  if (widget) return widget;
  const path = address.slice(address.lastIndexOf("/widget/"));
  const present = [...document.scripts].find(({ src }) => src.split("?")[0].endsWith(path));
  const tag = present || add(address, options);
  await arrival(tag, present);
  // To ask why takes a while, in which a tag that was still to run may have run.
  const fault = findWidget() ? "" : await explain(tag.src, options);
  const come = findWidget();
  if (come) return come;
  if (!present) tag.remove();
  throw new Error("consent: " + fault);
}

function add(address: string, { nonce, language, debug }: LoadOptions): HTMLScriptElement {
  const tag = document.createElement("script");
  const { trustedTypes } = window as { trustedTypes?: { createPolicy(name: string, rules: Rules): Rules } };
  const plain = { createScriptURL: (url: string) => url };
  rules ??= trustedTypes?.createPolicy("consent-embed", plain) ?? plain;
  tag.async = true;
  if (nonce) tag.nonce = nonce;
  if (debug) tag.dataset.consentDebug = "";
  tag.src = rules.createScriptURL(address + (language ? "?lang=" + encodeURIComponent(language) : ""));
  document.head.append(tag);
  return tag;
}

/** Settles once the tag has run or failed, which one of the page's own may have done before anybody listened. */
const arrival = (tag: HTMLScriptElement, present: unknown): Promise<unknown> =>
  new Promise((done) => {
    tag.addEventListener("load", done);
    tag.addEventListener("error", done);
    if (!present) return;
    if (document.readyState != "complete") addEventListener("load", done);
    else if (performance.getEntriesByName(tag.src)[0]) done(0);
  });

/** Why there is no widget, in words that say what to mend. */
async function explain(address: string, { site, server }: LoadOptions): Promise<string> {
  let answer: Response;
  try {
    answer = await fetch(address);
  } catch {
    return `${address} does not come: no connection, or a policy of the page or a content blocker keeps it out`;
  }
  if (answer.ok) return `${address} has come, but the widget has not started: the console says why`;
  return answer.status == 404
    ? `there is no site "${site}" at ${server}: see the tag that "consent site apply" prints`
    : `${address} is answered with ${answer.status}`;
}
