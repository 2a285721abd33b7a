import { tag } from "./tag";

/** `shutdown` is made for who signs out: it ends the session and takes the messenger out of sight. */
export default tag(([id], page, hold) => {
  const [, region, app_id] = /^(?:(\w+)-)?(.*)/.exec(id)!;
  const settings = { app_id, api_base: `https://api-iam.${region ? region + "." : ""}intercom.io` };
  return {
    src: "https://widget.intercom.io/widget/" + app_id,
    queue: hold.caller("Intercom", "q"),
    open: () => (page.intercomSettings = { ...settings, ...page.intercomSettings }),
    inits: [["boot", settings]],
    consent: (on) => on || page.Intercom("shutdown"),
  };
});
