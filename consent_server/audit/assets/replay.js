// Replays a ledger from its first leaf to its last, a stretch after the other, and says how far it is.

const $ = (selector) => document.querySelector(selector);
const box = $("[data-replay]");
const status = box.querySelector("[role=status]");
const [start, stop] = [$("[data-start]"), $("[data-stop]")];
let running = null;

function say(key, outcome, counts) {
  const words = status.dataset[key];
  status.textContent = words.replace(/\{(\w+)\}/g, (_, name) => counts[name].toLocaleString("en"));
  status.dataset.outcome = outcome;
}

function showFaults(faults) {
  for (const fault of faults)
    box.querySelector("ul").append(Object.assign(document.createElement("li"), { textContent: fault }));
}

async function readStretch(first, signal) {
  // A session counts for a script only with what stands on a page of ours.
  const headers = { "Consent-Form-Token": box.dataset.token };
  const answer = await fetch(`${box.dataset.replay}?from=${first}`, { headers, signal });
  if (!answer.ok) throw new Error(answer.status);
  return answer.json();
}

async function replay(signal) {
  const counts = { done: 0, size: 0, removed: 0, faults: 0 };
  try {
    do {
      const stretch = await readStretch(counts.done, signal);
      // What comes in meanwhile is for the next replay.
      counts.size = counts.size || stretch.size;
      counts.done = Math.min(stretch.end, counts.size);
      counts.removed += stretch.removed;
      counts.faults += stretch.faults.length;
      showFaults(stretch.faults);
      Object.assign(box.querySelector("progress"), { value: counts.done, max: counts.size || 1 });
      say("working", "wait", counts);
    } while (counts.done < counts.size);
    say(counts.faults ? "bad" : "good", counts.faults ? "fail" : "ok", counts);
  } catch {
    say(signal.aborted ? "stopped" : "lost", "wait", counts);
  }
}

start.addEventListener("click", async () => {
  running = new AbortController();
  box.querySelector("ul").replaceChildren();
  [box.hidden, start.hidden, stop.hidden] = [false, true, false];
  await replay(running.signal);
  [start.hidden, stop.hidden] = [false, true];
});
stop.addEventListener("click", () => running.abort());
start.hidden = false;
