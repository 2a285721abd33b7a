import { tag } from "./tag";

export default tag(([id], page, hold) => {
  hold.queue("$crisp");
  return {
    src: "https://client.crisp.chat/l.js",
    open: () => (page.CRISP_WEBSITE_ID = id),
    consent: (on) => on || page.$crisp.push(["do", "session:reset"], ["do", "chat:hide"]),
  };
});
