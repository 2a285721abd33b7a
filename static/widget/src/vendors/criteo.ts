import { tag } from "./tag";

/** Criteo documents no consent call: a withdrawal is deletion and a page without the script. */
export default tag((ids, page, hold) => {
  hold.queue("criteo_q");
  return {
    src: "https://dynamic.criteo.com/js/ld/ld.js?a=" + ids[0],
    open: () => page.criteo_q.push({ event: "setAccount", account: ids[1] ? ids.map(Number) : +ids[0] }),
  };
});
