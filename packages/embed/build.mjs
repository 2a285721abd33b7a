// Builds dist/: an entry each for any page, for React and for Vue, which stand alone, and their types.
import { execFileSync } from "node:child_process";
import { copyFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
await rm(join(here, "dist"), { recursive: true, force: true });
await build({
  entryPoints: ["index", "react", "vue"].map((name) => join(here, "src", name + ".ts")),
  outdir: join(here, "dist"),
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2021",
  packages: "external",
});

// What the frameworks are is not known here; `make types` checks the sources against them.
const tsc = fileURLToPath(new URL("bin/tsc", import.meta.resolve("typescript/package.json")));
execFileSync(process.execPath, [tsc, "--noCheck", "-p", here], { stdio: "inherit" });
await copyFile(join(here, "../../static/widget/dist/consent-widget.d.ts"), join(here, "dist/consent-widget.d.ts"));
