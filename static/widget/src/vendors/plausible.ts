import { answerOption } from "./answer";
import { tag } from "./tag";

/** It stores nothing, and has no consent call: a withdrawal is a page without the script. */
export default tag(([id], page, hold) => {
  hold.caller("plausible", "q");
  page.plausible.init ||= (options: unknown) => (page.plausible.o = options || {});
  return {
    src: `https://plausible.io/js/${id}.js`,
    open: () => (page.plausible.o ||= {}),
    unsent: (call) => answerOption(call, 1, "callback"),
  };
});
