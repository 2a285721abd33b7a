// What a receipt or a pack says, as a list that people can read. All of it is text: nothing here trusts who wrote it.

const language = document.documentElement.lang;

const at = (seconds) => {
  const moment = new Date(seconds * 1000);
  const form = { dateStyle: "long", timeStyle: "short", timeZone: "UTC" };
  return Number.isNaN(moment.getTime()) ? "" : `${moment.toLocaleString(language, form)} UTC`;
};
const number = (value) => (Number.isSafeInteger(value) ? value.toLocaleString(language) : "");

/** The facts of a receipt by the names of their words. */
export function receiptFacts(claims, words) {
  const name = (key) => (Object.hasOwn(words.titles, key) ? words.titles[key] : key);
  const states = (map, yes, no) => Object.entries(map || {}).map(([key, is]) => `${name(key)}: ${is === true ? yes : no}`);
  // What ran until somebody objected is never called granted.
  const said = (part, objections) =>
    [...states(claims[part], words.granted, words.denied), ...states(objections, words.objected, words.not_objected)].join("\n");
  return {
    decided: words[`action_${claims.action}`] || claims.action,
    purposes: said("grants", claims.objections?.purposes),
    vendors: said("vendors", claims.objections?.vendors),
    site: claims.site,
    controller: claims.controller?.name,
    when: at(claims.iat),
    valid_until: at(claims.valid_until),
    page: claims.page,
    notice: claims.notice,
    receipt_id: claims.jti,
  };
}

/** The facts of a pack. */
export function packFacts({ manifest, removals }) {
  return {
    site: manifest.site,
    period: [manifest.from, manifest.to].map((time) => (time ? at(Date.parse(time) / 1000) : "…")).join(" – "),
    records: number(manifest.end - manifest.first),
    removed: number(removals?.count),
    tree_size: number(manifest.tree_size),
  };
}

/** Fill a list with facts, and the text beside it with all that was said. */
export function showFacts(section, factsOf, said) {
  const list = section.querySelector("dl");
  const words = JSON.parse(list.dataset.words);
  const rows = Object.entries(factsOf(said, words)).filter(([, fact]) => fact);
  list.replaceChildren(...rows.map(([name, fact]) => {
    const row = document.createElement("div");
    const term = Object.assign(document.createElement("dt"), { textContent: words[name] });
    row.append(term, Object.assign(document.createElement("dd"), { textContent: String(fact) }));
    return row;
  }));
  section.querySelector("code").textContent = JSON.stringify(said.manifest ?? said, null, 1);
  section.hidden = false;
}
