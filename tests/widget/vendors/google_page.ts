// A page as Google's adapter meets it, made anew for each test.
import { afterEach, beforeEach } from "node:test";
import google from "../../../static/widget/src/vendors/google";
import { guardProperty } from "../../../static/widget/src/vendors/replaced";
import { ads, analytics, notice } from "../cast";

export const page = globalThis as any;

/** The queue as Google reads it: the arguments of each call, other entries as they are. */
export const read = (layer: any[]) => layer.map((entry: any) => (String(entry) == "[object Arguments]" ? [...entry] : entry));
export const isState = (entry: any) => /^consent_/.test(entry?.event);
export const queue = () => read(page.dataLayer).filter((entry) => !isState(entry));
export const states = () => read(page.dataLayer).filter(isState);
export const commands = () => queue().map((entry: any) => (Array.isArray(entry) ? entry.slice(0, 2).map((part) => (part instanceof Date ? "now" : part)).join(" ") : entry));

export let loaded: string[];
export let counted: [string, object][];
export let warned: string[];
export let leave: () => void;

/** The adapter at the start of a page, with what it loads, counts and warns of kept in the lists above. */
export const start = (vendors = [analytics, ads], part = {}) =>
  google({ ...notice, ...part }, vendors, (src) => (loaded.push(src), Promise.resolve()),
    (path, counts) => counted.push([path, counts]), (text) => void warned.push(text), guardProperty);

/** The site's own `gtag`. */
export const site = function (this: unknown) {
  page.dataLayer.push(arguments);
} as (...call: unknown[]) => void;
export const all = () => true;
export const none = () => false;

beforeEach(() => {
  loaded = [];
  counted = [];
  warned = [];
  page.location = { href: "https://shop.example/" };
  page.addEventListener = (_: string, act: () => void) => (leave = act);
  page.window = page;
  delete page.dataLayer;
});
afterEach(() => {
  for (const name of ["addEventListener", "window", "location", "dataLayer", "myLayer", "gtag", "google_tag_manager", "ga-disable-G-ABCD123456", "ga-disable-AW-123456789"]) delete page[name];
});
