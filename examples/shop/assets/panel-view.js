// How the panel shows what it saw. Text only ever goes in as text.

function make(name, className, ...content) {
  const element = document.createElement(name);
  if (className) element.className = className;
  element.append(...content);
  return element;
}

/** A section of the panel: a heading, and a place to fill. */
export function section(title, className = "") {
  const made = make("section", className);
  if (title) made.append(make("h3", "", title, make("span", "")));
  made.append(make("div", "fill"));
  return made;
}

export function fill(part, ...content) {
  part.querySelector(".fill").replaceChildren(...content);
}

const count = (part, text) => (part.querySelector("h3 span").textContent = text);

const nothing = (text) => make("p", "note", text);

function chip(text, tone = "") {
  const made = make("span", "chip", text);
  made.dataset.tone = tone;
  return made;
}

const plural = (n, one, many) => `${n} ${n === 1 ? one : many}`;

/** The state of things in one sentence. */
export function drawnVerdict(part, decision, requests, running, reachable) {
  const asked = requests ? `${plural(requests, "request", "requests")} to third parties so far.` : "Not one request to a third party.";
  const [tone, headline, rest] = !reachable
    ? ["no", "The consent server does not answer.", `So every tag stays shut. ${asked}`]
    : !decision
      ? ["", "You have not chosen yet. Every tag is held.", asked]
      : running
        ? ["yes", `You agreed to ${plural(running, "tag", "tags")}.`, asked]
        : ["", "You refused. Every tag is kept out.", `${asked} The shop works the same.`];
  part.dataset.tone = tone;
  fill(part, make("strong", "", headline), make("p", "note", rest));
}

const CONVERSIONS = {
  held: ["held until you choose", ""],
  sent: ["passed on", "yes"],
  dropped: ["dropped", ""],
};

/** Each vendor of the notice and each conversion, with what became of it. */
export function drawnTags(part, vendors, decision, allows, conversions) {
  count(part, vendors.length ? plural(vendors.length, "tag", "tags") : "");
  const state = (key) => !decision ? chip("held") : allows(key) ? chip("allowed", "yes") : chip("refused");
  const rows = [
    ...vendors.map(({ key, name }) => make("li", "line", make("span", "", name), state(key))),
    ...conversions.map(({ name, state: at }) => make("li", "line", make("span", "", `Conversion “${name}”`), chip(...CONVERSIONS[at]))),
  ];
  fill(part, rows.length ? make("ul", "", ...rows) : nothing("Asking the consent server for the notice."));
}

const ANSWERS = { asked: ["asked", ""], came: ["loaded", "yes"], failed: ["no answer", "no"], blocked: ["blocked by policy", "no"] };

/** Every address of a third party that this page asked. */
export function drawnRequests(part, requests) {
  count(part, plural(requests.size, "request", "requests"));
  const rows = [...requests].map(([address, state]) => {
    const { host, pathname, search } = new URL(address);
    const path = (pathname + search).slice(0, 60);
    const name = make("span", "", make("b", "", host), make("br"), make("code", "", path));
    return make("li", "line", name, chip(...ANSWERS[state]));
  });
  fill(part, rows.length ? make("ul", "", ...rows) : nothing("Nothing. Not before you choose, and not after a refusal."));
}

const isArguments = (entry) => Object.prototype.toString.call(entry) === "[object Arguments]";

function written(value) {
  if (value instanceof Date) return `new Date("${value.toISOString()}")`;
  if (typeof value === "function") return "ƒ";
  if (value instanceof Node) return `<${value.nodeName.toLowerCase()}>`;
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "undefined";
  if (Array.isArray(value)) return `[${value.map(written).join(", ")}]`;
  const pairs = Object.entries(value).map(([key, inner]) => `${/^\w+$/.test(key) ? key : JSON.stringify(key)}: ${written(inner)}`);
  return pairs.length > 2 ? `{\n  ${pairs.join(",\n  ")} }` : `{ ${pairs.join(", ")} }`;
}

/** A queue, call by call. Google reads arguments objects and plain objects, and ignores arrays. */
export function drawnCalls(part, calls, empty, name) {
  count(part, calls.length ? plural(calls.length, "entry", "entries") : "");
  const rows = calls.map((call, index) => {
    const kind = isArguments(call) ? "arguments" : Array.isArray(call) ? "array" : "object";
    const text = kind === "object" ? written(call) : `${name}(${[...call].map(written).join(", ")})`;
    // How an fbq call is kept does not matter to Meta; a dataLayer entry of the wrong kind is ignored without a word.
    const told = name === "gtag" ? [make("span", "kind", kind)] : [];
    return make("li", "", make("span", "at", String(index + 1)), make("code", "", text), ...told);
  });
  fill(part, rows.length ? make("ol", "calls", ...rows) : nothing(empty));
}

const day = (seconds) => new Date(seconds * 1000).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });

function meaning(name, value) {
  if (name === "t") return ["chosen at", day(Number(value))];
  if (name === "v") return ["format", value];
  if (name === "n") return ["notice revision", value];
  if (name === "g") return ["chosen under", "Global Privacy Control"];
  if (name === "i") return ["visitor", value];
  if (name === "s") return ["signed state", `${value.slice(0, 24)}… (${value.length} bytes)`];
  if (/^[pv]\./.test(name)) return [name.slice(2), value === "1" ? "yes" : "no"];
  return [name, value];
}

/** Names and values, those of the cookie in plain words. */
export function drawnPairs(part, pairs, empty) {
  count(part, "");
  const rows = pairs.flatMap(([name, value]) => {
    const [term, text] = meaning(name, value);
    return [make("dt", "", term), make("dd", "", text)];
  });
  fill(part, rows.length ? make("dl", "pairs", ...rows) : nothing(empty));
}

/** The receipt of the last decision. */
export function drawnClaims(part, url, claims, decision) {
  if (!url) return fill(part, nothing(decision ? "A refusal leaves no link on this device: it was shown where you refused." : "Comes with your choice."));
  const link = Object.assign(make("a", "", "Open the receipt"), { href: url, target: "_blank", rel: "noopener" });
  const content = [make("p", "", link)];
  if (claims) {
    const details = make("details", "claims", make("summary", "", "Signed claims"), make("code", "", JSON.stringify(claims, null, 1)));
    content.push(make("p", "note", `${claims.action.replace("_", " ")}, ${day(claims.iat)}, valid until ${day(claims.valid_until)}`), details);
  }
  fill(part, ...content);
}
