// What a document keeps, and where it leads. Names and lengths, never a value.
(async () => {
  // What never answers is as if it were not there.
  const late = () => new Promise((resolve, reject) => setTimeout(reject, 3000));
  const attempt = async (read, otherwise) => {
    try {
      return await Promise.race([read(), late()]);
    } catch {
      return otherwise;
    }
  };
  const entries = (storage) => Object.keys(storage).map((name) => [name, storage.getItem(name).length]);
  const layer = () => {
    const told = [];
    for (const entry of globalThis.dataLayer ?? []) {
      if (told.length === 200) break;
      if (entry?.[0] === "consent") {
        const states = Object.entries(entry[2] ?? {}).filter(([, value]) => value === "granted" || value === "denied");
        told.push({ what: String(entry[1]), states: Object.fromEntries(states) });
      } else if (["js", "config", "event"].includes(entry?.[0])) told.push({ what: "command" });
      else if (entry?.event === "gtm.js" || entry?.["gtm.start"]) told.push({ what: "start" });
    }
    return told;
  };
  return {
    // A frame of about:blank is of the page that made it.
    origin: globalThis.origin,
    local: await attempt(() => entries(localStorage), []),
    session: await attempt(() => entries(sessionStorage), []),
    indexeddb: await attempt(async () => (await indexedDB.databases()).map(({ name }) => name), []),
    cache: await attempt(() => caches.keys(), []),
    workers: await attempt(
      async () => (await navigator.serviceWorker.getRegistrations()).map(({ scope, active }) => active?.scriptURL ?? scope),
      [],
    ),
    layer: await attempt(layer, []),
    links: [...document.querySelectorAll("a[href]")].slice(0, 500).map((link) => String(link.href)),
    tags: [...document.scripts].map((script) => script.src).filter((src) => /\/widget\/[a-z0-9-]+\.js(\?|$)/.test(src)),
  };
})();
