// Builds each application for the browser and for a server, and draws it there: APP/app.js and APP/app.html.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import vue from "@vitejs/plugin-vue";
import { build } from "vite";

const here = import.meta.dirname;

async function bundle(entry, ssr) {
  await build({
    root: here,
    configFile: false,
    logLevel: "warn",
    plugins: [vue()],
    define: { __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: "true" },
    build: {
      ssr,
      outDir: join(entry, ssr ? "../dist-server" : "../dist"),
      rollupOptions: { input: join(here, entry), output: { entryFileNames: ssr ? "server.mjs" : "app.js" } },
    },
  });
}

for (const [client, server] of [["react/client.jsx", "react/server.jsx"], ["vue/client.js", "vue/server.js"]]) {
  await Promise.all([bundle(client, false), bundle(server, true)]);
  const { render } = await import(pathToFileURL(join(here, server, "../dist-server/server.mjs")));
  await writeFile(join(here, client, "../dist/app.html"), await render());
}
