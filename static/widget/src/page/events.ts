import { choice } from "../state/current";

let ready: boolean;

/** The decision as the site's own code sees it. */
export const decision = () => choice && { ...choice, at: new Date(choice.at * 1000).toISOString() };

export function tell(name: string, detail: unknown = decision()): void {
  ready ||= name == "ready";
  document.dispatchEvent(new CustomEvent("consent:" + name, { detail }));
}

/** Hear of an event; of `ready` also who comes after it. */
export function on(name: string, listener: (detail: any) => void): void {
  document.addEventListener("consent:" + name, ({ detail }: any) => listener(detail));
  if (ready && name == "ready") listener(decision());
}
