import { later } from "./layers/later";
import { base } from "./page/script";
import { config } from "./state/current";
import { add, type Post } from "./state/outbox";

/** JSON of plain objects, whatever `toJSON` the page has put on all objects. */
function json(data: object): string {
  const every = Object.prototype as { toJSON?: unknown };
  const { toJSON } = every;
  delete every.toJSON;
  const text = JSON.stringify(data);
  if (toJSON) every.toJSON = toJSON;
  return text;
}

/**
 * A string without a content type goes out as text/plain and needs no preflight; keepalive outlives the page. Settles
 * with nothing where there is no answer.
 */
export const send = async (path: string, body: string, credentials?: RequestCredentials): Promise<Response | undefined> => {
  try {
    return await fetch(`${base}/v1/sites/${config.site}/${path}`, { method: "POST", body, credentials, keepalive: true });
  } catch {
    // Lost, or kept by whoever sends it.
  }
};

/** Kept before it is sent, so that a page that goes away loses nothing. */
export function post(body: Omit<Post, "decision_id">): void {
  const line = json({
    ...body,
    // The address of a blob ends in a random UUID (File API), also on pages without TLS, which have no randomUUID.
    decision_id: crypto.randomUUID?.() || URL.createObjectURL(new Blob()).slice(-36),
  });
  add(line);
  later("answer", line, send("decisions", line));
}

/** Counters of the server: no row, no identifier, and sent once. */
export const count = (path: string, counts?: object): unknown =>
  send(path, json({ notice: config.notice, language: config.language, ...counts }));
