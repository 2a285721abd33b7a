import { tag } from "./tag";

/** An id is the host with its path, and the number of the site. The cloud keeps its script on another host. */
export default tag((ids, page, hold) => {
  const [[host, site], ...more] = ids.map((id) => [id.slice(0, id.lastIndexOf("/")), id.slice(id.lastIndexOf("/") + 1)]);
  const tracker = (host: string) => `https://${host}/matomo.php`;
  return {
    src: `https://${/\.matomo\.cloud$/.test(host) ? "cdn.matomo.cloud/" : ""}${host}/matomo.js`,
    queue: hold.queue("_paq"),
    open: () =>
      page._paq.push(
        ["requireConsent"],
        ["setTrackerUrl", tracker(host)],
        ["setSiteId", site],
        ...more.map(([host, site]) => ["addTracker", tracker(host), site]),
        ["enableLinkTracking"],
      ),
    view: ["trackPageView"],
    // Remembering is the widget's: `rememberConsentGiven` would keep a cookie of its own.
    consent: (on) => (on ? page._paq.push(["setConsentGiven"]) : page._paq.push(["forgetConsentGiven"], ["deleteCookies"])),
  };
});
