import { choice, choose, config, hold } from "./current";
import { writeCookie } from "./cookie";
import { guard } from "./guard";
import { add, keepWaiting, settles, waiting, without, type Post } from "./outbox";
import { tag } from "./script";
import { grantsAny } from "./state";

interface Receipt {
  receipt_url: string;
  visitor: string | null;
  state: string | null;
}

/** The consent server, also behind a path of the site's own host. */
export const base = (tag?.src || "").split("/widget/")[0];

let last = "";

/** Text without a content type of our own goes out without a preflight; keepalive outlives the page. */
const send = (path: string, body: unknown): Promise<Response> =>
  fetch(`${base}/v1/sites/${config.site}/${path}`, { method: "POST", body: JSON.stringify(body), keepalive: true });

const settle = guard((post: Post, { receipt_url, visitor, state }: Receipt) => {
  if (post.decision_id != last || !choice) return;
  const keep = grantsAny(choice);
  hold(receipt_url, keep);
  if (!keep) return;
  choose({ ...choice, visitor, state });
  writeCookie(choice, config);
});

async function deliver(post: Post): Promise<void> {
  last = post.decision_id;
  try {
    const answer = await send("decisions", post);
    if (settles(answer.status)) keepWaiting(without(waiting(), post));
    if (answer.ok) settle(post, await answer.json());
  } catch {
    // No connection: the outbox holds it for the next page.
  }
}

/** Kept before it is sent, so that a page that goes away loses nothing. */
export function post(body: Post): void {
  keepWaiting(add(waiting(), body));
  deliver(body);
}

export const resend = (): void => waiting().forEach(deliver);

export const count = (): void =>
  void send("shown", { notice: config.notice, language: config.language }).catch(() => 0);

export const newId = (): string =>
  // Pages without TLS have no crypto.randomUUID; the address of a blob ends in one.
  crypto.randomUUID ? crypto.randomUUID() : URL.createObjectURL(new Blob()).slice(-36);
