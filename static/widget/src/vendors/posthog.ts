import { answerOption } from "./answer";
import { holdInstances } from "./methods";
import { tag } from "./tag";

const METHODS =
  "capture,register,register_once,register_for_session,unregister,unregister_for_session,getFeatureFlag,getFeatureFlagPayload,isFeatureEnabled,reloadFeatureFlags,onFeatureFlags,onSessionId,getSurveys,getActiveMatchingSurveys,identify,setPersonProperties,group,resetGroups,setPersonPropertiesForFlags,resetPersonPropertiesForFlags,setGroupPropertiesForFlags,resetGroupPropertiesForFlags,reset,get_distinct_id,getGroups,get_session_id,get_session_replay_url,alias,set_config,startSessionRecording,stopSessionRecording,sessionRecordingStarted,captureException,loadToolbar,get_property,getSessionProperty,createPersonProfile,opt_in_capturing,opt_out_capturing,has_opted_in_capturing,has_opted_out_capturing,clear_opt_in_out_capturing,debug";

export default tag(([id], page, hold) => {
  const region = id.slice(0, 2);
  return {
    src: `https://${region}-assets.i.posthog.com/static/array.js`,
    queue: holdInstances(hold.receive, page, "posthog", METHODS, "set,set_once"),
    inits: [["init", id.slice(3), { api_host: `https://${region}.i.posthog.com` }]],
    consent(on) {
      if (on) return page.posthog.opt_in_capturing();
      page.posthog.opt_out_capturing();
      page.posthog.reset();
    },
    unsent(call, dropped) {
      if (call[0] == "init") dropped && answerOption(call, 2, "loaded", page.posthog);
      // It may be called again with other flags, so it stays. A page waits for it to draw a variant.
      else if (call[0] == "onFeatureFlags") setTimeout(call[1], 0, [], {});
    },
  };
});
