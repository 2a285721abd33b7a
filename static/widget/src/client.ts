import { base } from "./page/script";
import { writeCookie } from "./state/cookie";
import { choice, config, holdReceipt } from "./state/current";
import { add, isFinal, keepWaiting, waiting, without, type Post } from "./state/outbox";
import { grantsAny } from "./state/state";

interface Receipt {
  receipt_url: string;
  visitor: string | null;
  state: string | null;
}

let last: string;

/** A string without a content type goes out as text/plain and needs no preflight; keepalive outlives the page. */
const send = async (path: string, body: unknown): Promise<Response> =>
  fetch(`${base}/v1/sites/${config.site}/${path}`, { method: "POST", body: JSON.stringify(body), keepalive: true });

function keepReceipt({ receipt_url, visitor, state }: Receipt): void {
  const keep = grantsAny(choice!);
  holdReceipt(receipt_url, keep);
  // On the site's own host the answer has set the cookie. Safari keeps that one for its full life, and
  // one that script writes over it for 7 days.
  if (!keep || base!.startsWith(location.origin + "/")) return;
  writeCookie(Object.assign(choice!, { visitor, state }), config);
}

async function deliver(post: Post): Promise<void> {
  last = post.decision_id;
  try {
    const answer = await send("decisions", post);
    if (isFinal(answer.status)) keepWaiting(without(waiting(), post));
    const receipt: Receipt = await answer.json();
    if (answer.ok && post.decision_id == last && choice) keepReceipt(receipt);
  } catch {
    // No connection: the outbox holds it for the next page.
  }
}

/** Kept before it is sent, so that a page that goes away loses nothing. */
export function post(body: Omit<Post, "decision_id">): void {
  const decision = {
    ...body,
    // The address of a blob ends in a random UUID (File API), also on pages without TLS, which have no randomUUID.
    decision_id: URL.createObjectURL(new Blob()).slice(-36),
  };
  keepWaiting(add(waiting(), decision));
  deliver(decision);
}

export const resend = (): void => waiting().forEach(deliver);

/** Counters of the server: no row, no identifier, and sent once. */
export const count = (path: string, counts?: object): unknown =>
  send(path, { notice: config.notice, language: config.language, ...counts }).catch(() => 0);
