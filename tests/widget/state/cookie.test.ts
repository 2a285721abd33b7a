import assert from "node:assert/strict";
import { test } from "node:test";
import { decode, encode, stillCounts } from "../../../static/widget/src/state/cookie";
import type { Choice } from "../../../static/widget/src/state/state";

const NOW = 1_795_000_000;
const DAY = 86_400;
const choice = (part: Partial<Choice> = {}): Choice => ({
  action: "save", at: NOW - 100, revision: "0123456789abcdef", grants: { analytics: true, advertising: false },
  vendors: { "google-ads": true }, gpc: true, visitor: "3e0a", state: "a.b-c_d.e", ...part,
});
const refusal = choice({ action: "refuse_all", grants: { analytics: false }, vendors: {}, gpc: false });
const read = decode;

test("what is written is read back", () => {
  assert.deepEqual(read(encode(choice())), choice());
});

test("the value is a plain query string", () => {
  assert.equal(encode(choice()),
    `v=1&t=${NOW - 100}&n=0123456789abcdef&p.analytics=1&p.advertising=0&v.google-ads=1&g=1&i=3e0a&s=a.b-c_d.e`);
});

test("a visitor who refuses everything carries no identifier", () => {
  assert.equal(encode(refusal), `v=1&t=${NOW - 100}&n=0123456789abcdef&p.analytics=0`);
});

test("whatever clock wrote its time, a choice stands: its age is the browser's business", () => {
  for (const days of [-400, -180, -3, 0, 3, 200]) assert.ok(read(encode(choice({ at: NOW + days * DAY }))), "" + days);
});

test("damaged values are no choice", () => {
  for (const value of ["", "1", "v=1", "v=2&t=" + NOW, "v=1&t=", "v=1&t=abc", "v=1&t=Infinity", "v=1&t=-1", "%", "v=1&t=%00", "[object Object]"])
    assert.equal(read(value), null, value);
});

test("only 1, given once, is a grant", () => {
  for (const value of ["0", "2", "", "true", "01", "1.0", "1&p.x=1", "0&p.x=1"])
    assert.equal(read(`v=1&t=${NOW}&p.x=${value}`)!.grants.x, false, value);
  assert.equal(read(`v=1&t=${NOW}&p.x=1`)!.grants.x, true);
});

test("names of the language's own objects do no harm", () => {
  read(`v=1&t=${NOW}&__proto__=1&p.__proto__=1&constructor=1&v.constructor=1&pp.analytics=1`);
  assert.equal(({} as Record<string, unknown>).analytics, undefined);
  assert.deepEqual(Object.keys(read(`v=1&t=${NOW}&pp.analytics=1&x.a=1`)!.grants), []);
});

test("a refusal outlives its notice, a grant does not", () => {
  assert.equal(stillCounts(refusal, "f"), true);
  assert.equal(stillCounts(choice(), "f"), false);
  assert.equal(stillCounts(choice(), "0123456789abcdef"), true);
  assert.equal(stillCounts(choice({ grants: {}, vendors: { "meta-pixel": true } }), "f"), false);
});
