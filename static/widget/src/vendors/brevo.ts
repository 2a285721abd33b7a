import { tag } from "./tag";

/** Brevo documents no consent call: a withdrawal is deletion and a page without the script. */
export default tag(([client_key], _page, hold) => ({
  queue: hold.queue("Brevo"),
  inits: [["init", { client_key }]],
  src: "https://cdn.brevo.com/js/sdk-loader.js",
}));
