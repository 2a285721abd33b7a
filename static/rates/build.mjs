// Builds the script of the rates' page, Chart.js in it. The same sources give the same bytes.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
await build({
  absWorkingDir: here,
  entryPoints: ["src/rates.ts"],
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2021",
  charset: "utf8",
  // Chart.js is under the MIT licence, whose notice goes with every copy.
  legalComments: "eof",
  outfile: join(here, "../../consent_server/rates/assets/dist/rates.js"),
});
