import type { Config } from "./state/config";

/** What a notice of an experiment has in place of the site's own, and how many views of 100 it gets. */
export interface Arm extends Partial<Config> {
  weight: number;
}

/**
 * Around the widget while a site runs an experiment: who looks sees the arm that the draw falls on. It is drawn for
 * each view of a page and kept nowhere, so that an experiment knows no visitor; a later script of the same page, in
 * another language, shows the same arm.
 */
export default (widget: (given: unknown) => void) => (given: Config & { arms?: Arm[] }) => {
  const page = window as unknown as { consentDraw?: number };
  let left = (page.consentDraw ??= Math.random() * 100);
  widget({ ...given, ...given?.arms?.find(({ weight }) => (left -= weight) < 0) });
};
