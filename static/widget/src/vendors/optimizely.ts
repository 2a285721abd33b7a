import { tag } from "./tag";

export default tag(([id], page, hold) => {
  hold.queue("optimizely");
  return {
    src: `https://cdn.optimizely.com/js/${id}.js`,
    consent: (on) => page.optimizely.push({ type: "optOut", isOptOut: !on }),
  };
});
