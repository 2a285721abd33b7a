// The live preview beside the form, the sentence beside an id as it is typed, and a way to pick a colour. The form works
// without any of it.
"use strict";
const form = document.querySelector("form.draft");
const pane = document.querySelector(".pane");
const screen_ = pane.querySelector(".screen");
const said = pane.querySelector("[data-said]");
const status_ = form.querySelector(".bar [role=status]");
const SIZES = { phone: [390, 780], desktop: [1280, 800] };
const PAUSE = 250;
const looks = Object.fromEntries([...pane.querySelectorAll("select")].map((one) => [one.name, one]));

let coming = null;
let number = 0;

/** Post the form into a new frame, which takes the place of the last one once it has something to show. */
function draw() {
  coming?.remove();
  const [width, height] = SIZES[looks["preview-device"].value];
  const frame = document.createElement("iframe");
  frame.name = `preview-${++number}`;
  frame.title = "Preview of the banner";
  frame.setAttribute("sandbox", "allow-scripts");
  frame.width = width;
  frame.height = height;
  frame.className = "coming";
  screen_.append(frame);
  fit();
  coming = frame;
  const sent = document.createElement("form");
  sent.method = "post";
  sent.action = pane.dataset.preview;
  sent.target = frame.name;
  sent.hidden = true;
  const given = [...new FormData(form), ...Object.values(looks).map((one) => [one.name, one.value])];
  for (const [name, value] of given) {
    // A text of several lines stays one.
    const field = document.createElement("textarea");
    field.name = name;
    field.value = value;
    sent.append(field);
  }
  document.body.append(sent);
  sent.submit();
  sent.remove();
}

/** As wide as there is room: a desktop's window in small. */
function fit() {
  for (const frame of screen_.children) {
    const [width, height] = [Number(frame.width), Number(frame.height)];
    const scale = Math.min(1, screen_.clientWidth / width, (innerHeight - 300) / height);
    frame.style.transform = `scale(${scale})`;
    frame.style.marginInlineStart = `${Math.max(0, (screen_.clientWidth - width * scale) / 2)}px`;
    if (frame == screen_.lastElementChild) screen_.style.height = `${height * scale}px`;
  }
}

addEventListener("message", ({ source, data }) => {
  if (!coming || source != coming.contentWindow || !Array.isArray(data?.preview)) return;
  const faults = data.preview;
  // What was right a moment ago stays to be seen while somebody types on.
  const earlier = [...screen_.children].filter((one) => one != coming);
  said.textContent = faults.length && earlier.length ? `Not to be shown yet: ${faults.join("; ")}` : "";
  if (faults.length && earlier.length) coming.remove();
  else {
    for (const one of earlier) one.remove();
    coming.classList.remove("coming");
  }
  coming = null;
  fit();
});

let waiting;
function drawSoon() {
  clearTimeout(waiting);
  waiting = setTimeout(draw, PAUSE);
}

/** What the catalogue says of an id, beside it, once it is not one. */
function tellOfId(field) {
  const beside = document.getElementById(`${field.id}-fault`);
  const { pattern } = field.dataset;
  const wrong = Boolean(field.value && pattern) && !new RegExp(`^(?:${pattern})$`).test(field.value.trim());
  beside.hidden = !wrong;
  beside.textContent = wrong ? "This is no such id." : "";
  field.toggleAttribute("aria-invalid", wrong);
}

/** Of a vendor that is picked: what an id there looks like, before it is saved. */
function lookUp(field) {
  const id = document.getElementById(field.id.replace(/-key$/, "-id"));
  const known = [...field.list.options].find(({ value, label }) => [value, label].includes(field.value.trim()));
  const effect = document.getElementById(`${id.id}-effect`);
  id.dataset.pattern = known?.dataset.pattern || "";
  effect.dataset.usual ||= effect.textContent;
  effect.textContent = known?.dataset.looks || effect.dataset.usual;
  tellOfId(id);
}

form.addEventListener("input", ({ target }) => {
  if (target.dataset.for) document.getElementById(target.dataset.for).value = target.value;
  else target.parentElement.querySelector("[data-for]")?.setAttribute("value", target.value);
  if (target.hasAttribute("list")) lookUp(target);
  if (target.dataset.pattern) tellOfId(target);
  // Whoever changes words reads them in their language.
  const [, language] = /^texts\.([\w-]+)\./.exec(target.name) || [];
  if (language) looks["preview-language"].value = language;
  status_.textContent = "Changed, and not saved yet";
  drawSoon();
});
pane.addEventListener("change", draw);
addEventListener("resize", fit);

for (const one of document.querySelectorAll("[data-for]")) one.hidden = false;
document.documentElement.classList.add("scripted");
pane.hidden = false;
// The preview is on the page: the button leads there, where it is not beside the form.
form.querySelector(".see").addEventListener("click", (event) => {
  event.preventDefault();
  pane.scrollIntoView({ block: "start" });
});
// A link of the summary leads into a part that may be folded.
function unfold() {
  const target = location.hash ? document.getElementById(location.hash.slice(1)) : null;
  for (let one = target; one; one = one.parentElement) if (one.tagName == "DETAILS") one.open = true;
  if (target?.matches("input, textarea, select")) target.focus();
  else target?.scrollIntoView({ block: "start" });
}
addEventListener("hashchange", unfold);
unfold();
said.textContent = "Drawing the banner…";
looks["preview-scheme"].value = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
draw();
