import type { Kit } from "../layers/later";

/** How long a confirmation stays, in milliseconds. */
const STAY = 7000;

/**
 * Say what became of a choice, where it is seen and read out, for a while or until Esc. It takes no focus and moves
 * nothing. While a layer is open it is only read out: what was done is seen there.
 */
export function confirm({ host, say }: Kit, text: string): void {
  const shown = () => host?.querySelector("[role=status]")?.textContent == text;
  if (shown()) return;
  say(text, "n");
  const end = () => {
    removeEventListener("keydown", endByKey, true);
    if (shown()) say("");
  };
  const endByKey = ({ key }: KeyboardEvent) => key == "Escape" && end();
  addEventListener("keydown", endByKey, true);
  setTimeout(end, STAY);
}
