import assert from "node:assert/strict";
import { test } from "node:test";
import { add, parse, isFinal, without, type Post } from "../../../static/widget/src/state/outbox";

const post = (id: number): Post => ({ decision_id: "" + id });
const many = (count: number) => Array.from({ length: count }, (_, id) => post(id));

test("the oldest gives way to the twenty-first", () => {
  const list = add(many(20), post(20));
  assert.equal(list.length, 20);
  assert.deepEqual([list[0], list[19]], [post(1), post(20)]);
});

test("what is delivered is dropped by its id", () => {
  assert.deepEqual(without(many(3), post(1)), [post(0), post(2)]);
  assert.deepEqual(without(many(2), post(9)), many(2));
});

test("success and refusals end the matter, a busy or broken server does not", () => {
  for (const status of [200, 201, 204, 400, 403, 404, 409, 413, 415, 422]) assert.ok(isFinal(status), "" + status);
  for (const status of [408, 425, 429, 500, 502, 503, 504]) assert.ok(!isFinal(status), "" + status);
});

test("a damaged outbox is empty", () => {
  for (const text of [null, "", "{", "null", "7", "{}", '"x"', "[null]"]) assert.deepEqual(parse(text), [], "" + text);
});

test("a stored outbox keeps its bodies, at most twenty", () => {
  assert.deepEqual(parse(JSON.stringify([post(1), {}, post(2)])), [post(1), post(2)]);
  assert.equal(parse(JSON.stringify(many(50))).length, 20);
});
