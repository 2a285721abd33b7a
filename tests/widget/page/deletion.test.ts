import assert from "node:assert/strict";
import { test } from "node:test";
import { candidates, doomed, matches } from "../../../static/widget/src/page/deletion";

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
