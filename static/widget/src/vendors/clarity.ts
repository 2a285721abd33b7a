import { answer } from "./answer";
import { tag, word } from "./tag";

/** Clarity records without cookies when it is denied: so it is not loaded before a grant. */
export default tag(([id], page, hold) => {
  hold.caller("clarity", "q");
  return {
    src: "https://www.clarity.ms/tag/" + id,
    // The capitals are the vendor's.
    consent: (on, ads) => page.clarity("consentv2", { ad_Storage: word(on && ads), analytics_Storage: word(on) }),
    unsent: (call, dropped) => dropped && call[0] == "metadata" && answer(call, 1, {}),
  };
});
