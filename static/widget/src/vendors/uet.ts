import { tag, word } from "./tag";

/** Microsoft takes silence for a grant, so the default is said first. Words follow each other in one flat queue. */
export default tag(([ti], page, hold) => {
  const say = (act: string, on: boolean) => page.uetq.push("consent", act, { ad_storage: word(on) });
  hold.queue("uetq", true);
  return {
    src: "https://bat.bing.com/bat.js",
    converts: /^event,/,
    open: () => say("default", false),
    consent: (on) => say("update", on),
    come() {
      if (!page.UET) return;
      page.uetq = new page.UET({ ti, enableAutoSpaTracking: true, q: page.uetq });
      page.uetq.push("pageLoad");
    },
  };
});
