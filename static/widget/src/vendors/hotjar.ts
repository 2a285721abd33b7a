import { tag } from "./tag";

/** Hotjar documents no consent call: a withdrawal is deletion and a page without the script. */
export default tag(([id], page, hold) => {
  hold.caller("hj", "q");
  return {
    src: `https://static.hotjar.com/c/hotjar-${id}.js?sv=6`,
    open: () => (page._hjSettings = { hjid: +id, hjsv: 6 }),
  };
});
