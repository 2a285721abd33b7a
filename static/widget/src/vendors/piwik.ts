import { tag } from "./tag";

/** Its own consent manager has to be off, and with it the only consent call that it has. */
export default tag(([container], page, hold) => {
  hold.queue("_paq");
  return {
    src: `https://${container}.js`,
    open: () => (page.dataLayer ||= []).push({ start: Date.now(), event: "stg.start" }),
  };
});
