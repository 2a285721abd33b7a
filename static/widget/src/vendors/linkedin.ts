import { answerOption } from "./answer";
import { tag } from "./tag";

/** LinkedIn documents no consent call: a withdrawal is deletion and a page without the script. */
export default tag((ids, page, hold) => {
  hold.caller("lintrk", "q");
  return {
    src: "https://snap.licdn.com/li.lms-analytics/insight.min.js",
    converts: /^track,/,
    open() {
      page._linkedin_partner_id = ids[0];
      page._linkedin_data_partner_ids = ids;
    },
    unsent: (call) => answerOption(call, 1, "commandCallback"),
  };
});
