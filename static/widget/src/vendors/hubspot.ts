import { answer } from "./answer";
import { tag } from "./tag";

const NOTHING = { allowed: false, categories: { necessary: true, analytics: false, advertisement: false, functionality: false } };

/** The queue of the privacy banner is apart from that of the tracking code. Two banners would ask: its own is off. */
export default tag(([id], page, hold) => {
  hold.queue("_hsq");
  hold.queue("_hsp");
  const [, region, portal] = /^(?:(\w+)-)?(.*)/.exec(id)!;
  return {
    src: `https://js${region ? "-" + region : ""}.hs-scripts.com/${portal}.js`,
    element: "hs-script-loader",
    open: () => (page.disableHubSpotCookieBanner = true),
    consent(on, ads) {
      if (on) page._hsp.push(["setHubSpotConsent", { analytics: true, advertisement: ads, functionality: true }]);
      else {
        page._hsp.push(["revokeCookieConsent"]);
        page._hsq.push(["doNotTrack"]);
      }
    },
    unsent: (call, dropped) => dropped && call[0] == "addPrivacyConsentListener" && answer(call, 1, NOTHING),
  };
});
