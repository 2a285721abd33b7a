import type { Adapter } from "./adapter";

/** What is particular to one vendor; the rest is the same for every tag. */
interface Tag {
  /** What page code calls from the first line on is kept here, in the vendor's own form. */
  queue: unknown[];
  src: string;
  /** Id of the script element, where the vendor's script looks its own element up. */
  element?: string;
  /** Say what has to be said before all else. */
  open?(): void;
  /** The vendor's own consent call. `ads` tells whether advertising storage is granted in this notice. */
  consent?(on: boolean, ads: boolean): void;
  /** The script has come, or failed to. */
  come?(): void;
}

/**
 * The adapter of a vendor whose tag is one script. Held calls follow a grant, and are dropped by a denial;
 * before a grant there is no request.
 */
export const tag = (make: (id: string | undefined, page: any) => Tag): Adapter => ({ purposes }, [vendor], load) => {
  const { queue, src, element, open, consent, come } = make(vendor?.ids?.[0], window);
  let decided: boolean, started: boolean;

  return (now, allows, leaving) => {
    if (!now || !vendor) return;
    const on = !!allows(vendor.key);
    const tell = () => consent?.(on, purposes.some(({ key, signals }) => !!signals?.includes("ad_storage") && !!allows(key)));
    if (started) tell();
    else if (on && !leaving) {
      started = true;
      const held = queue.splice(0);
      open?.();
      tell();
      // A first decision that grants lets pass what waited for it. What was called after a denial was denied.
      if (!decided) queue.push(...held);
      load(src).then(come);
      if (element) document.head.lastElementChild!.id = element;
    }
    decided = true;
  };
};

export const word = (on: boolean): string => (on ? "granted" : "denied");
