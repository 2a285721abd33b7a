// The page /verify: receipts and evidence packs, checked on this device. Keys are fetched before anything is chosen.

import { packFacts, receiptFacts, showFacts } from "./contents.js";
import { checkPack } from "./pack.js";
import { receiptIn } from "./pasted.js";
import { parseJson, proofSteps, readKeys, receiptSteps, requireForm, Unsupported, Wrong } from "./proof.js";
import { Steps } from "./steps.js";
import { openZip, TooLarge } from "./zip.js";

const $ = (selector) => document.querySelector(selector);
const form = $("[data-verify]");
const lists = Object.fromEntries(["receipt", "pack"].map((of) => [of, $(`[data-of="${of}"] [data-steps]`)]));
const status = $("[role=status]");
const progress = $("progress");
let ours = null;

const reset = () => {
  for (const of of ["receipt", "pack"]) $(`[data-of="${of}"]`).hidden = true;
  for (const part of [...document.querySelectorAll("[data-contents]"), $("[data-more]"), $("[data-foreign]"), progress]) part.hidden = true;
  status.textContent = "";
};

function stepsOf(of) {
  $(`[data-of="${of}"]`).hidden = false;
  lists[of].hidden = false;
  return new Steps(lists[of], status);
}

function showKeys(of, keys) {
  const list = $(`[data-keys="${of}"]`);
  list.replaceChildren(...[...keys.keys()].map((id) => {
    const item = document.createElement("li");
    item.append(Object.assign(document.createElement("code"), { textContent: id }));
    return item;
  }));
  list.parentElement.hidden = keys.size === 0;
}

const contents = (of) => $(`[data-contents="${of}"]`);

async function checkReceipt(receipt, proof, keys) {
  const steps = stepsOf("receipt");
  steps.say("working");
  const own = receiptSteps(receipt, keys);
  if (!own.isRevoked() || !proof) await steps.runKey(own);
  if (!(await steps.run("signature", own.signature))) return steps.say("invalid", "fail");
  showFacts(contents("receipt"), receiptFacts, own.found.claims);
  if (!proof) return steps.failed ? steps.say("invalid", "fail") : steps.say("unproved");
  const ledger = proofSteps(receipt, own.found.claims, proof, keys);
  for (const name of ["checkpoint", "leaf", "path"]) await steps.run(name, ledger[name]);
  own.found.proved = true;
  if (own.isRevoked()) await steps.runKey(own);
  return steps.failed ? steps.say("invalid", "fail") : steps.say("valid", "ok");
}

async function checkZip(file) {
  const zip = await openZip(file);
  if (!zip.entries.has("manifest.json")) throw new Wrong("no pack");
  const steps = stepsOf("pack");
  steps.say("working");
  progress.hidden = false;
  const pack = await checkPack(zip, steps, ours, async (done, total) => {
    Object.assign(progress, { value: done, max: total });
    $("[data-progress]").textContent = $("[data-progress]").dataset.text.replace("{done}", done).replace("{total}", total);
    // Lets the browser draw.
    await new Promise((drawn) => setTimeout(drawn));
  });
  progress.hidden = true;
  $("[data-progress]").textContent = "";
  if (pack.keys) showKeys("pack", pack.keys);
  $("[data-foreign]").hidden = !pack.keys || !ours || [...pack.keys.keys()].some((id) => ours.has(id));
  showFacts(contents("pack"), packFacts, pack);
  $("[data-more]").hidden = false;
  if (steps.failed) return steps.say("packInvalid", "fail");
  // Without this server's keys nothing says whose the pack's are.
  return ours ? steps.say("packValid", "ok") : steps.say("unreachable");
}

const isZip = async (file) => (await file.slice(0, 2).text()) === "PK";

/** Tell receipt, proof and keys apart by what stands in them. */
function sort(texts) {
  const found = { receipt: "", proof: null, jwks: null };
  for (const text of texts.map((one) => one.trim()).filter((one) => one)) {
    if (!text.startsWith("{")) found.receipt = receiptIn(text);
    else {
      const value = parseJson(text);
      if (Array.isArray(value.keys)) found.jwks = value;
      // The answer to a post, kept as it came.
      else if (typeof value.receipt === "string") found.receipt = receiptIn(value.receipt);
      else found.proof = value;
    }
  }
  // What was cut off or changed on its way says nothing of who signed it.
  requireForm(found.receipt);
  return found;
}

async function check(files, typed) {
  reset();
  try {
    for (const file of files) if (await isZip(file)) return await checkZip(file);
    const texts = await Promise.all(files.map((file) => file.text()));
    const { receipt, proof, jwks } = sort([...typed, ...texts]);
    const keys = jwks ? await readKeys(jwks) : ours;
    if (!keys) throw new Unsupported();
    showKeys("pack", jwks ? keys : new Map());
    await checkReceipt(receipt, proof, keys);
  } catch (error) {
    reset();
    status.dataset.outcome = "fail";
    if (error instanceof Unsupported) status.textContent = status.dataset.unsupported;
    else status.textContent = error instanceof TooLarge ? status.dataset.tooLarge : status.dataset.unreadable;
  }
}

const input = $("input[type=file]");
const drop = $("[data-drop]");
input.addEventListener("change", () => check([...input.files], []));
form.addEventListener("submit", (event) => {
  event.preventDefault();
  check([...input.files], [...form.querySelectorAll("textarea")].map((field) => field.value));
});
form.addEventListener("reset", reset);
for (const name of ["dragover", "dragleave", "drop"])
  drop.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.toggle("over", name === "dragover");
    if (name === "drop") check([...event.dataTransfer.files], []);
  });

async function begin() {
  $("[data-without-script]").remove();
  try {
    const answer = await fetch(form.dataset.jwks, { credentials: "omit" });
    ours = await readKeys(await answer.json());
    showKeys("server", ours);
  } catch (error) {
    status.textContent = error instanceof Unsupported ? status.dataset.unsupported : status.dataset.unreachable;
  }
  form.hidden = false;
  document.body.dataset.ready = "";
}

begin();
