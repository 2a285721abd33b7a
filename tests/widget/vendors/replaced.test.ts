import assert from "node:assert/strict";
import { test } from "node:test";
import { guardProperty } from "../../../static/widget/src/vendors/replaced";

/** A page, and a wrap that keeps what it was called with. */
function page(present: Record<string, unknown> = {}) {
  const seen: unknown[] = [];
  const wrap = (value: unknown) => {
    seen.push(value);
    return { holds: value };
  };
  return { object: present as any, seen, wrap };
}

test("the present value is wrapped at once", () => {
  const first = {};
  const { object, seen, wrap } = page({ ttq: first });
  guardProperty(object, "ttq", wrap);
  assert.equal(object.ttq.holds, first);
  assert.deepEqual(seen, [first]);
});

test("what is not there yet is wrapped too", () => {
  const { object, seen, wrap } = page();
  guardProperty(object, "ttq", wrap);
  assert.deepEqual(object.ttq, { holds: undefined });
  assert.deepEqual(seen, [undefined]);
});

test("each new value is wrapped, and the same wrapping is read until the next", () => {
  const { object, wrap } = page();
  guardProperty(object, "ttq", wrap);
  const stub = () => {};
  object.ttq = stub;
  assert.equal(object.ttq.holds, stub);
  assert.equal(object.ttq, object.ttq);
  object.ttq = null;
  assert.deepEqual(object.ttq, { holds: null });
});

test("what a usual snippet gives back is not wrapped twice", () => {
  const { object, seen, wrap } = page();
  guardProperty(object, "ttq", wrap);
  object.ttq = object.ttq || [];
  const stub = () => {};
  object.ttq = stub;
  object.ttq = stub;
  object.ttq = object.ttq;
  assert.deepEqual(seen, [undefined, stub]);
});

test("page code sees an ordinary property, and can define it anew", () => {
  const { object, wrap } = page({ other: 1 });
  guardProperty(object, "ttq", wrap);
  assert.deepEqual(Object.keys(object), ["other", "ttq"]);
  Object.defineProperty(object, "ttq", { value: 2, configurable: true });
  assert.equal(object.ttq, 2);
});

test("a property that cannot be guarded is set where it can be", () => {
  const { object, wrap } = page();
  Object.defineProperty(object, "ttq", { value: 1, writable: true });
  guardProperty(object, "ttq", wrap);
  assert.deepEqual(object.ttq, { holds: 1 });
});

test("nothing is thrown where it cannot be set either", () => {
  const { wrap } = page();
  const constant = Object.defineProperty({} as any, "ttq", { value: 1 });
  guardProperty(constant, "ttq", wrap);
  assert.equal(constant.ttq, 1);
  const frozen = Object.freeze({ ttq: 1 }) as any;
  guardProperty(frozen, "ttq", wrap);
  guardProperty(frozen, "uetq", wrap);
  assert.deepEqual(frozen, { ttq: 1 });
});
