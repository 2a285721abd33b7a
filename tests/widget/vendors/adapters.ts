import { readdirSync, readFileSync } from "node:fs";
import type { Adapter } from "../../../static/widget/src/vendors/adapter";

// Tests run from the repository's root.
const FOLDER = "static/widget/src/vendors/";

/** Every adapter that is made with `tag`, by its name. */
export async function readAdapters(): Promise<[string, Adapter][]> {
  const names = readdirSync(FOLDER).filter((file) => /^export default tag\(/m.test(readFileSync(FOLDER + file, "utf8")));
  const modules = names.map((file) => file.replace(/\.ts$/, ""));
  return Promise.all(
    modules.map(async (name) => [name, (await import(`../../../static/widget/src/vendors/${name}.ts`)).default]),
  ) as Promise<[string, Adapter][]>;
}
