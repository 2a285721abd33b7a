export interface Candidate {
  name: string;
  domain: string;
  path: string;
}

/** A trailing * is a prefix match; all else in the pattern is literal. */
export const matches = (name: string, pattern: string): boolean =>
  pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name == pattern;

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
  path.split("/").filter(Boolean).reduce((parent, part) => {
    paths.push(parent + part, parent + part + "/");
    return parent + part + "/";
  }, "/");
  return names.flatMap((name) => domains.flatMap((domain) => paths.map((at) => ({ name, domain, path: at }))));
}

const quietly = (work: () => void) => {
  try {
    work();
  } catch {
    // Storage that the page may not touch holds nothing of a vendor either.
  }
};

/** Delete the cookies and storage keys that these patterns take; the site's own stay. */
export function purge(patterns: string[], needed: string[]): void {
  quietly(() => {
    const names = document.cookie.split("; ").map((pair) => pair.split("=")[0]);
    for (const { name, domain, path } of candidates(doomed(names, patterns, needed), location.hostname, location.pathname))
      for (const kind of ["", ";Secure", ";Secure;Partitioned"])
        document.cookie = `${name}=;Max-Age=0;Path=${path}${domain && ";Domain=" + domain}${kind}`;
  });
  for (const kind of ["localStorage", "sessionStorage"] as const)
    quietly(() => {
      for (const name of doomed(Object.keys(window[kind]), patterns, needed)) window[kind].removeItem(name);
    });
}
