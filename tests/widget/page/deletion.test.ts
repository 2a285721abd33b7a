import assert from "node:assert/strict";
import { test } from "node:test";
import { candidates, doomed, matches, named, paths, purge } from "../../../static/widget/src/page/deletion";

test("each parent domain of two labels or more is tried", () => {
  const domains = new Set(candidates(["_ga"], "a.b.example.co.uk", "/").map(({ domain }) => domain));
  assert.deepEqual([...domains], ["", "a.b.example.co.uk", "b.example.co.uk", "example.co.uk", "co.uk"]);
});

test("a host of one label has only itself", () => {
  assert.deepEqual(candidates(["_ga"], "localhost", "/"), [{ name: "_ga", domain: "", path: "/" }]);
});

test("each prefix of the path is tried, with and without a slash at its end", () => {
  const paths = candidates(["_ga"], "localhost", "/shop/a/").map(({ path }) => path);
  assert.deepEqual(paths, ["/", "/shop", "/shop/", "/shop/a", "/shop/a/"]);
});

test("each name is tried everywhere", () => {
  assert.equal(candidates(["_ga", "_gid"], "a.example.com", "/x").length, 2 * 3 * 3);
  assert.deepEqual(candidates([], "a.example.com", "/x"), []);
});

test("a star at the end is a prefix, all else is literal", () => {
  assert.ok(matches("_ga_ABC", "_ga_*"));
  assert.ok(matches("_ga_", "_ga_*"));
  assert.ok(!matches("_ga", "_ga_*"));
  assert.ok(!matches("_gaXABC", "_ga.ABC"));
  assert.ok(matches("a.b", "a.b"));
  assert.ok(!matches("aab", "a*b"));
  assert.ok(matches("a*b", "a*b"));
});

test("the site's own names and those that an allowed vendor needs survive", () => {
  const names = ["_ga", "_ga_X", "_gac_1", "uid", "session", ""];
  assert.deepEqual(doomed(names, ["_ga", "_ga_*", "_gac_*"], ["_gac_*"]), ["_ga", "_ga_X"]);
  assert.deepEqual(doomed(names, [], []), []);
});

test("each kind has names of its own; cookies and storage keys share theirs", () => {
  const stored = [{ name: "_a" }, { name: "A_DB", kind: "indexeddb" }, { name: "/a/*", kind: "service-worker" }];
  assert.deepEqual(named(stored), ["_a"]);
  assert.deepEqual(named(stored, "indexeddb"), ["A_DB"]);
  assert.deepEqual(named(stored, "cache"), []);
});

test("a service worker is known by its scope and by its script, whatever state it is in", () => {
  const worker = (states: object) => paths({ scope: "https://shop.example/push/", ...states } as ServiceWorkerRegistration);
  const script = { scriptURL: "https://shop.example/push/worker.js?v=1" };
  for (const state of ["active", "waiting", "installing"])
    assert.deepEqual(worker({ [state]: script }), ["/push/", "/push/worker.js"], state);
  assert.deepEqual(worker({ active: null, waiting: null, installing: null }), ["/push/"]);
});

const databases = (names: string[], listed = true) => {
  const deleted: string[] = [];
  const deleteDatabase = (name: string) => {
    const request = {} as IDBOpenDBRequest;
    queueMicrotask(() => (deleted.push(name), request.onsuccess!({} as Event)));
    return request;
  };
  const list = async () => names.map((name) => ({ name }));
  Object.assign(globalThis, { indexedDB: { deleteDatabase, ...(listed && { databases: list }) } });
  return deleted;
};

test("databases of denied vendors alone are deleted, before the promise settles", async () => {
  const deleted = databases(["HEAT_1", "HEAT_2", "HEAT_KEPT", "basket", "_heat"]);
  const denied = [{ name: "HEAT_*", kind: "indexeddb" }, { name: "_heat" }, { name: "basket", kind: "cache" }];
  await purge(denied, [{ name: "HEAT_KEPT", kind: "indexeddb" }]);
  assert.deepEqual(deleted, ["HEAT_1", "HEAT_2"]);
});

test("where databases are not listed, those of a whole name are deleted", async () => {
  const deleted = databases(["HEAT"], false);
  await purge([{ name: "HEAT", kind: "indexeddb" }], []);
  assert.deepEqual(deleted, ["HEAT"]);
});

test("what the page may not touch stops nothing else", async () => {
  const deleted = databases(["HEAT"]);
  const all = ["cache", "service-worker", "indexeddb"].map((kind) => ({ name: "HEAT", kind }));
  await purge(all, []);
  assert.deepEqual(deleted, ["HEAT"]);
});
