// Runs before the page's own scripts, in each document: tells by whom a cookie or an entry was written, names alone.
(() => {
  const tell = globalThis.__TELL__;
  if (typeof tell !== "function") return;
  delete globalThis.__TELL__;
  const { stringify } = JSON;
  const who = () => (new Error().stack ?? "").match(/https?:\/\/[^\s?#)]+?(?=[?#]|:\d+:\d+)/)?.[0] ?? "";
  const note = (kind, name) => tell(stringify({ kind, name: String(name).slice(0, 200), by: who() }));
  const written = Object.getOwnPropertyDescriptor(Document.prototype, "cookie");
  if (written?.set) {
    Object.defineProperty(Document.prototype, "cookie", {
      ...written,
      set(text) {
        try {
          note("cookie", String(text).split("=", 1)[0].trim());
        } catch {}
        return written.set.call(this, text);
      },
    });
  }
  const wrap = (object, method, kind, name) => {
    const original = object?.[method];
    if (typeof original !== "function") return;
    object[method] = function (...given) {
      try {
        note(kind(this), name(given));
      } catch {}
      return original.apply(this, given);
    };
  };
  const storage = (self) => (self === globalThis.sessionStorage ? "session" : "local");
  wrap(globalThis.Storage?.prototype, "setItem", storage, ([name]) => name);
  wrap(globalThis.CookieStore?.prototype, "set", () => "cookie", ([first]) => first?.name ?? first);
  wrap(globalThis.IDBFactory?.prototype, "open", () => "indexeddb", ([name]) => name);
  wrap(globalThis.CacheStorage?.prototype, "open", () => "cache", ([name]) => name);
})();
