import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { posix } from "node:path";
import { test } from "node:test";

type Imports = Record<string, string[]>;

/** The rooms that a room may import; the root, which ties them together, may import all. */
const BELOW: Imports = { state: [], vendors: ["state"], page: ["state"], layers: ["state", "page"], details: ["state", "page", "layers"] };

const IMPORT = /\b(?:from|import)\s*\(?\s*"(\.[^"]+)"/g;

/** Each module of a folder with the modules that it imports, those whose types alone it needs included. */
function readImports(folder: string): Imports {
  const imports: Imports = {};
  for (const file of readdirSync(folder, { recursive: true }) as string[]) {
    if (!file.endsWith(".ts")) continue;
    const targets = [...readFileSync(posix.join(folder, file), "utf8").matchAll(IMPORT)].map(([, path]) => path);
    imports[file.slice(0, -3)] = targets.map((path) => posix.join(posix.dirname(file), path));
  }
  return imports;
}

/** The first circle of imports, or nothing. */
function findCircle(imports: Imports): string {
  const closed = new Set<string>();
  const walk = (module: string, path: string[]): string => {
    if (path.includes(module)) return [...path.slice(path.indexOf(module)), module].join(" > ");
    if (closed.has(module)) return "";
    for (const target of imports[module] ?? []) {
      const circle = walk(target, [...path, module]);
      if (circle) return circle;
    }
    closed.add(module);
    return "";
  };
  return Object.keys(imports).map((module) => walk(module, [])).find(Boolean) ?? "";
}

/** Each import of a room that is not below its own. */
const findClimbs = (imports: Imports): string[] =>
  Object.entries(imports).flatMap(([module, targets]) => {
    const room = posix.dirname(module);
    if (room == ".") return [];
    const climbs = targets.map(posix.dirname).filter((above) => above != room && !BELOW[room]?.includes(above));
    return climbs.map((above) => `${module} > ${above}`);
  });

for (const folder of ["static/widget/src", "static/rates/src"])
  test(`no module of ${folder} imports itself by way of others`, () => {
    const imports = readImports(folder);
    assert.ok(Object.values(imports).flat().length);
    assert.equal(findCircle(imports), "");
  });

test("a room of the widget imports only those below it", () => {
  const imports = readImports("static/widget/src");
  const rooms = new Set(Object.keys(imports).map(posix.dirname));
  assert.deepEqual([...rooms].sort(), [".", ...Object.keys(BELOW)].sort());
  assert.deepEqual(findClimbs(imports), []);
});

test("a circle and a climb are seen", () => {
  const imports = { main: ["page/a"], "page/a": ["page/b"], "page/b": ["state/c"], "state/c": ["page/b"] };
  assert.equal(findCircle(imports), "page/b > state/c > page/b");
  assert.deepEqual(findClimbs(imports), ["state/c > page"]);
});
