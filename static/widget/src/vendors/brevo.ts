import { tag } from "./tag";

/** Brevo documents no consent call: a withdrawal is deletion and a page without the script. */
export default tag((client_key, page) => ({
  queue: (page.Brevo ||= []),
  src: "https://cdn.brevo.com/js/sdk-loader.js",
  open: () => page.Brevo.push(["init", { client_key }]),
}));
