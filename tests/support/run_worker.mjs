// Hands a Worker one request for each Cookie header, as Cloudflare would, and says whether it was passed on.
import { createInterface } from "node:readline";

import worker from "../../examples/backend/worker.mjs";

const [CONSENT_SERVER, SITE, VENDOR, ...purposes] = process.argv.slice(2);
const endpoint = "https://events.example/collect";
const overNetwork = globalThis.fetch;
globalThis.fetch = (request, options) =>
  request.url === endpoint ? Promise.resolve(new Response("taken")) : overNetwork(request, options);

for await (const line of createInterface({ input: process.stdin })) {
  const request = new Request(endpoint, { method: "POST", headers: { Cookie: line.trim() }, body: "{}" });
  const answer = await worker.fetch(request, { CONSENT_SERVER, SITE, VENDOR, PURPOSES: purposes.join(" ") });
  console.log((await answer.text()) === "taken");
}
