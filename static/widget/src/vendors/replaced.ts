/**
 * Keep `object[name]` what `wrap` makes of it, whatever page code assigns to it later. `wrap` is called at once with the
 * present value, then with each new one, and must not assign the property itself.
 *
 * Two things pass by it, since neither asks a setter: `delete`, and a `function` declaration of that name in a classic
 * script. A property that the page has sealed is set once, where it can be, and nothing is thrown.
 */
export function guardProperty(object: any, name: string, wrap: (value: any) => any): void {
  let given = object[name];
  let wrapped = wrap(given);
  const guard = {
    configurable: true,
    enumerable: true,
    get: () => wrapped,
    set(value: unknown) {
      // `x = x || []` gives back what it was given.
      if (value !== wrapped && value !== given) wrapped = wrap((given = value));
    },
  };
  Reflect.defineProperty(object, name, guard) || Reflect.set(object, name, wrapped);
}
