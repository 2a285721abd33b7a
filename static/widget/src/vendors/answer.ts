/** Calls what page code hands over to be called back, once: the vendor's own answer then changes nothing. */
export function answer(holder: any, key: PropertyKey, ...given: unknown[]): void {
  const waiting = holder?.[key];
  if (typeof waiting != "function") return;
  holder[key] = () => {};
  setTimeout(waiting, 0, ...given);
}

/** The last of what a call is given, where page code waits to be called back by it. */
export const answerLast = (call: any, ...given: unknown[]): void => answer(call, call.length - 1, ...given);

/** A member of the options that a call is given. The page may use them again, so they are copied. */
export function answerOption(call: any, at: number, key: string, ...given: unknown[]): void {
  if (!call[at]?.[key]) return;
  call[at] = { ...call[at] };
  answer(call[at], key, ...given);
}
