import { refresh } from "./decide";
import { front, isOpen } from "./layers/banner";
import { later } from "./layers/later";
import { showPreferences } from "./layers/layers";
import { guard } from "./page/guard";

const handlers: Record<string, (event: any) => unknown> = {
  click(event: Event) {
    // Also inside open shadow roots.
    if (!event.composedPath().some((target) => (target as Element).matches?.("[data-consent-open]"))) return;
    // A link there leads to a page that works without script.
    event.preventDefault();
    showPreferences();
  },
  keydown: ({ key }: KeyboardEvent) => key == "Tab" && front(),
  keyup: ({ key, target }: KeyboardEvent) => key == "Tab" && later("clear", target as Element),
  scroll() {
    if (!isOpen()) return;
    delete handlers.scroll;
    later("clear");
  },
  // Each act changes the outbox; a page can come back from the back/forward cache; another host of the site has no such events.
  storage: refresh,
  pageshow: refresh,
  visibilitychange: refresh,
};

const listener = { handleEvent: guard((event: Event) => handlers[event.type]?.(event)) };

/**
 * Answer what a visitor does outside the layers, first of all that listen. Again when the page has been written anew,
 * which takes all listeners away.
 */
export const listen = (): void => Object.keys(handlers).forEach((type) => addEventListener(type, listener, true));
