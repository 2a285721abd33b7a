// Builds dist/: one-line expressions that the server joins into one script, and the types of what a page sees of it.
// The same sources give the same bytes.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFile, mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants } from "node:zlib";
import { build } from "esbuild";
import { minify } from "terser";

const here = dirname(fileURLToPath(import.meta.url));
const made = join(here, "dist.new");
const entries = {
  "widget.js": "main.ts",
  "preferences.js": "layers/preferences.ts",
  "details.js": "details.ts",
  "arms.js": "arms.ts",
  "declaration.js": "declaration.ts",
  "debug.js": "debug.ts",
  "tags.js": "tags.ts",
};
// Once more for sites with purposes that run before a choice: nobody else pays for that.
for (const file of ["widget.js", "preferences.js", "details.js"]) entries[`rules/${file}`] = entries[file];
// A layout is one sheet, under its name in a site file; what all of them share is one more.
for (const sheet of (await readdir(join(here, "src/layers/looks"))).sort())
  entries[`looks/${sheet}`] = `layers/looks/${sheet}`;
const isAdapter = (source) => /^export default /m.test(source);
// One expression each, so that a site gets those of its own vendors. What adapters share exports nothing by default.
for (const source of (await readdir(join(here, "src/vendors"))).sort())
  if (isAdapter(await readFile(join(here, "src/vendors", source), "utf8")))
    entries[`vendors/${source.replace(".ts", ".js")}`] = `vendors/${source}`;

/** A sheet: minified, and with the blanks gone that CSS does not need. */
async function sheet(path) {
  const { outputFiles } = await build({ entryPoints: [path], minify: true, write: false });
  return outputFiles[0].text.trim().replaceAll(": ", ":");
}

/** Sheets are text in the bundle. */
const sheets = {
  name: "sheets",
  setup({ onLoad }) {
    onLoad({ filter: /\.css$/ }, async ({ path }) => ({ contents: await sheet(path), loader: "text" }));
  },
};

/** An adapter finds what all of them share under a name that the server gives it, so that a page has it once. */
const shared = {
  name: "shared",
  setup({ onLoad }) {
    onLoad({ filter: /src.vendors.\w+\.ts$/ }, async ({ path }) => {
      const source = await readFile(path, "utf8");
      const takenOut = source.replaceAll(/^import (\{[^}]*\}) from "\.\/(held|tag)";$/gm, "const $1 = $tags;");
      return { contents: /(held|tag)\.ts$/.test(path) ? source : takenOut, loader: "ts" };
    });
  },
};

const MINIFY = { module: true, ecma: 2020, compress: { passes: 3, unsafe_arrows: true, inline: 1, hoist_funs: true, arguments: true }, format: { comments: false } };

/**
 * The default export of a module as one expression, which needs no global name of its own; a sheet as it is. With
 * `rules` it knows of purposes that run before a choice.
 */
async function expression(source, rules) {
  if (source.endsWith(".css")) return sheet(join(here, "src", source));
  const { outputFiles } = await build({
    absWorkingDir: here,
    entryPoints: [join("src", source)],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2021",
    charset: "utf8",
    legalComments: "none",
    plugins: [sheets, shared],
    define: { RULES: String(rules) },
    write: false,
  });
  // Once more: it finds what a bundler does not look for, three bytes of a hundred.
  const { code: small } = await minify(outputFiles[0].text, MINIFY);
  const code = small.trim().replaceAll("\n", "\\n");
  const [exported, name] = /export\{(?:[^}]*,)?([\w$]+) as default[^}]*\};?$/.exec(code);
  return `(()=>{${code.slice(0, -exported.length)}return ${name}})()`;
}

/** What the page's own code sees of the widget, for its compiler. */
async function declare(source) {
  const tsc = fileURLToPath(new URL("bin/tsc", import.meta.resolve("typescript/package.json")));
  const options = ["--declaration", "--emitDeclarationOnly", "--target", "es2021", "--strict"];
  execFileSync(process.execPath, [tsc, ...options, "--outDir", made, join(here, "src", source)], { stdio: "inherit" });
  await rename(join(made, source.replace(".ts", ".d.ts")), join(made, "consent-widget.d.ts"));
}

const brotli = (text) =>
  brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length;

await rm(made, { recursive: true, force: true });
for (const part of ["vendors", "looks", "rules"]) await mkdir(join(made, part), { recursive: true });
// Beside the scripts and not in them: each visitor would pay for it.
await copyFile(join(here, "../../LICENSE"), join(made, "LICENSE"));
await declare("public.ts");
const manifest = {};
for (const [file, source] of Object.entries(entries)) {
  const text = await expression(source, file.startsWith("rules/"));
  await writeFile(join(made, file), text);
  const sha256 = createHash("sha256").update(text).digest("hex");
  manifest[file] = { bytes: Buffer.byteLength(text), brotli: brotli(text), sha256 };
}
await writeFile(join(made, "manifest.json"), JSON.stringify(manifest, null, 2) + "\n");
// At once, since others read there meanwhile: the compiler of types, a server in a checkout.
await rm(join(here, "dist"), { recursive: true, force: true });
await rename(made, join(here, "dist"));
for (const [file, { bytes, brotli }] of Object.entries(manifest)) console.log(`${file}  ${bytes} bytes, ${brotli} Brotli`);
