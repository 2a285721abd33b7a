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

/** What is stored under a name. Cookies and storage keys have no kind: a vendor moves them between the three. */
export interface Stored {
  name: string;
  kind?: string;
}

/** The names of one kind. */
export const named = (stored: Stored[], kind?: string): string[] =>
  stored.filter((each) => each.kind == kind).map(({ name }) => name);

/** Paths by which a service worker is known: its scope's and its script's. */
export const paths = ({ scope, active, waiting, installing }: ServiceWorkerRegistration): string[] =>
  [scope, (active || waiting || installing)?.scriptURL].flatMap((url) => (url ? [url.replace(/^\w+:\/\/[^/]*|[?#].*/g, "")] : []));

/** Lasts until the pages that have it open are gone. */
const deleteDatabase = (name: string) =>
  new Promise((done) => {
    const request = indexedDB.deleteDatabase(name);
    request.onsuccess = request.onerror = done;
  });

/** All of them, whatever the page made of Promise. */
async function settle(works: unknown[]): Promise<void> {
  for (const work of works) await work;
}

type Take = (names: string[]) => string[];

const deletions: Record<string, (take: Take, patterns: string[]) => Promise<unknown>> = {
  async indexeddb(take, patterns) {
    // Where a browser does not list them, patterns that are names find theirs.
    const known = indexedDB.databases ? (await indexedDB.databases()).map(({ name }) => name!) : patterns;
    return settle(take(known).map(deleteDatabase));
  },
  async cache(take) {
    return settle(take(await caches.keys()).map((name) => caches.delete(name)));
  },
  async "service-worker"(take) {
    const known = await navigator.serviceWorker.getRegistrations();
    return settle(known.filter((each) => take(paths(each))[0]).map((each) => each.unregister()));
  },
};

/**
 * Delete what denied vendors store; what an allowed one needs and the site's own stay. Cookies and storage keys are
 * gone at once, the rest when the promise settles.
 */
export async function purge(denied: Stored[], needed: Stored[]): Promise<unknown> {
  const take = (names: string[], kind?: string) => doomed(names, named(denied, kind), named(needed, kind));
  quietly(() => {
    const names = document.cookie.split("; ").map((pair) => pair.split("=")[0]);
    for (const { name, domain, path } of candidates(take(names), location.hostname, location.pathname))
      for (const kind of ["", ";Secure", ";Secure;Partitioned"])
        document.cookie = `${name}=;Max-Age=0;Path=${path}${domain && ";Domain=" + domain}${kind}`;
  });
  for (const kind of ["localStorage", "sessionStorage"] as const)
    quietly(() => {
      for (const name of take(Object.keys(window[kind]))) window[kind].removeItem(name);
    });
  return settle(Object.keys(deletions).map((kind) => {
    const patterns = named(denied, kind);
    // What a page may not touch holds nothing of a vendor either.
    return patterns[0] && deletions[kind]((names) => take(names, kind), patterns).catch(() => 0);
  }));
}
