import type { Vendor } from "./config";
import { setCookie } from "./cookie";

export interface Candidate {
  name: string;
  domain: string;
  path: string;
}

/** A trailing * is a prefix match; all else in the pattern is literal. */
export const matches = (name: string, pattern: string): boolean =>
  pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;

/** The names that the patterns take and that no pattern of a vendor which stays allowed needs. */
export const doomed = (names: string[], patterns: string[], needed: string[]): string[] =>
  names.filter((name) => {
    const fits = (pattern: string) => matches(name, pattern);
    return patterns.some(fits) && !needed.some(fits);
  });

/**
 * Where a cookie of these names may live: a page cannot read its domain and path back.
 * Each parent domain of two labels or more is tried, and the browser refuses public suffixes:
 * taking the last two labels would miss `example.co.uk`.
 */
export function candidates(names: string[], host: string, path: string): Candidate[] {
  const labels = host.split(".");
  const domains = ["", ...labels.slice(1).map((_, at) => labels.slice(at).join("."))];
  const paths = ["/"];
  path.split("/").slice(1).reduce((parent, part) => {
    if (part) paths.push(parent + part, parent + part + "/");
    return parent + part + "/";
  }, "/");
  return names.flatMap((name) => domains.flatMap((domain) => paths.map((at) => ({ name, domain, path: at }))));
}

const expire = ({ name, domain, path }: Candidate) => {
  for (const kind of ["", ";Secure", ";Secure;Partitioned"])
    setCookie(`${name}=;Max-Age=0;Path=${path}${domain && ";Domain=" + domain}${kind}`);
};

/** Delete the cookies and storage keys of vendors that are denied; the site's own stay. */
export function purge(vendors: Vendor[], allowed: (key: string) => unknown): void {
  const patterns = (kind: "cookies" | "storage", on: boolean) =>
    vendors.filter(({ key }) => !!allowed(key) === on).flatMap((vendor) => vendor[kind] || []);
  const take = (kind: "cookies" | "storage", names: string[]) =>
    doomed(names, patterns(kind, false), patterns(kind, true));
  const names = document.cookie.split("; ").map((pair) => pair.split("=")[0]);
  candidates(take("cookies", names), location.hostname, location.pathname).forEach(expire);
  for (const store of [localStorage, sessionStorage])
    for (const name of take("storage", Object.keys(store))) store.removeItem(name);
}
