import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { isFinal } from "../../../static/widget/src/details/problem";
import { add, forget, lines, waiting } from "../../../static/widget/src/state/outbox";

const line = (id: number) => JSON.stringify({ notice: "n", grants: { news: true }, vendors: {}, decision_id: "" + id });
const page = globalThis as any;

beforeEach(() => {
  const kept = new Map<string, string>();
  page.localStorage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  };
});
afterEach(() => {
  delete page.localStorage;
  delete (Array.prototype as any).toJSON;
});

test("what is kept waits in its order, until it is delivered", () => {
  [1, 2, 3].map(line).forEach(add);
  forget(line(2));
  assert.deepEqual(waiting(), [line(1), line(3)]);
  forget(line(1));
  forget(line(3));
  assert.equal(page.localStorage.getItem("eu-consent-outbox"), null);
});

test("the oldest gives way to the twenty-first", () => {
  for (let id = 0; id <= 20; id++) add(line(id));
  assert.deepEqual([waiting().length, waiting()[0], waiting()[19]], [20, line(1), line(20)]);
});

test("what the page has put on arrays does not reach it", () => {
  (Array.prototype as any).toJSON = () => "broken";
  add(line(1));
  add(line(2));
  assert.deepEqual(waiting(), [line(1), line(2)]);
});

test("an outbox of version 0.2 is read", () => {
  assert.deepEqual(lines(`[${line(1)},${line(2)}]`), [line(1), line(2)]);
  assert.deepEqual(lines(`[${line(1)}]`), [line(1)]);
});

test("an empty outbox has nothing in it", () => {
  for (const text of [null, "", "[]"]) assert.deepEqual(lines(text), [], "" + text);
});

test("a refused body ends the matter; what can pass does not", () => {
  const problem = { title: "Malformed request body" };
  for (const status of [400, 409, 413, 415, 422]) {
    assert.ok(isFinal(status, problem), "" + status);
    // What somebody on the way answers is not the server's word.
    for (const body of [undefined, {}]) assert.ok(!isFinal(status, body), "" + status);
  }
  for (const status of [0, 401, 403, 404, 408, 425, 429, 500, 502, 503, 504]) assert.ok(!isFinal(status, problem), "" + status);
});
