// Checks the receipt that the page shows: here, with the server's bytes, never with its word.

import { proofSteps, readKeys, receiptSteps, Unsupported, Wrong } from "./proof.js";
import { Steps } from "./steps.js";

const section = document.querySelector("[data-check]");
const steps = new Steps(section.querySelector("[data-steps]"), section.querySelector("[role=status]"));
const TRIES = 5;

class Unreachable extends Error {}

async function get(url) {
  try {
    const { token } = section.dataset;
    const headers = token ? { "Consent-Form-Token": token } : {};
    return await fetch(url, { headers, credentials: "same-origin", cache: "no-store" });
  } catch {
    throw new Unreachable();
  }
}

async function read(url, form) {
  const answer = await get(url);
  if (!answer.ok) throw new Unreachable();
  return answer[form]();
}

/** The proof, or null where no checkpoint covers the receipt after a while. */
async function readProof() {
  for (let tried = 1; tried <= TRIES; tried += 1) {
    const answer = await get(section.dataset.proof);
    if (answer.ok) return answer.json();
    if (answer.status !== 409) throw new Unreachable();
    if (!steps.failed) steps.say("pending");
    // Sealing takes a moment by default; a rarer public cadence is worth no more than a few questions.
    await new Promise((done) => setTimeout(done, 1000 * tried));
  }
  return null;
}

/** What the page says is what was signed: every grant, every objection, every third party, number and notice. */
async function compare(claims) {
  const { purposes = {}, vendors = {} } = claims.objections || {};
  const signed = { grants: claims.grants, vendors: claims.vendors, "objections-grants": purposes, "objections-vendors": vendors };
  const shown = { grants: {}, vendors: {}, "objections-grants": {}, "objections-vendors": {} };
  for (const item of document.querySelectorAll("[data-of]"))
    shown[item.dataset.of][item.dataset.key] = item.querySelector(".state").classList.contains(/^objections/.test(item.dataset.of) ? "denied" : "granted");
  const sorted = (map) => JSON.stringify(Object.entries(map).sort());
  const equal = Object.keys(shown).every((of) => sorted(shown[of]) === sorted(signed[of]));
  if (!equal || claims.jti !== section.dataset.receipt || claims.notice !== section.dataset.notice) throw new Wrong();
}

async function check() {
  steps.say("working");
  const [receipt, jwks] = await Promise.all([read(section.dataset.jws, "text"), read(section.dataset.keys, "json")]);
  const keys = await readKeys(jwks);
  const own = receiptSteps(receipt, keys);
  if (!own.isRevoked()) await steps.runKey(own);
  if (!(await steps.run("signature", own.signature))) return steps.say("invalid", "fail");
  await steps.run("contents", () => compare(own.found.claims));
  const proof = await readProof();
  if (!proof) return steps.failed ? steps.say("invalid", "fail") : steps.say("pending");
  const ledger = proofSteps(receipt, own.found.claims, proof, keys);
  for (const name of ["checkpoint", "leaf", "path"]) await steps.run(name, ledger[name]);
  own.found.proved = true;
  if (own.isRevoked()) await steps.runKey(own);
  return steps.failed ? steps.say("invalid", "fail") : steps.say("valid", "ok");
}

document.querySelector("[data-without-script]").remove();
section.querySelector("[data-steps]").hidden = false;
check().catch((error) => {
  if (error instanceof Unsupported) steps.say("unsupported");
  else if (error instanceof Unreachable) steps.say("unreachable");
  else steps.say("invalid", "fail");
});
