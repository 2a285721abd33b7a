import { answerLast, answerOption } from "./answer";
import { holdInstances } from "./methods";
import { tag } from "./tag";

const METHODS =
  "disable,time_event,track,track_pageview,track_links,track_forms,track_with_groups,add_group,set_group,remove_group,register,register_once,alias,unregister,identify,name_tag,set_config,reset,opt_in_tracking,opt_out_tracking,clear_opt_in_out_tracking,start_batch_senders,stop_batch_senders,start_session_recording,stop_session_recording";
const PEOPLE = "set,set_once,unset,increment,append,union,remove,track_charge,clear_charges,delete_user";

export default tag(([id], page, hold) => {
  const [, region, token] = /^(?:(\w+)-)?(.*)/.exec(id)!;
  return {
    src: "https://cdn.mxpnl.com/libs/mixpanel-2-latest.min.js",
    queue: holdInstances(hold.receive, page, "mixpanel", METHODS, PEOPLE),
    inits: [["init", token, { api_host: `https://api-${region || "js"}.mixpanel.com` }]],
    consent(on) {
      if (on) return page.mixpanel.opt_in_tracking();
      page.mixpanel.opt_out_tracking();
      page.mixpanel.reset();
    },
    unsent(call, dropped) {
      if (call[0] != "init") answerLast(call, 0);
      else if (dropped) answerOption(call, 2, "loaded", page.mixpanel);
    },
  };
});
