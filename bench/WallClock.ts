// @effect-diagnostics globalDate:off
/**
 * The wall clock of this process, set forward or back. The monotonic clock stays.
 */
export const shift = (millis: number): void => {
  const real = Date
  const now = () => real.now() + millis
  globalThis.Date = new Proxy(real, {
    construct: (target, args) => Reflect.construct(target, args.length === 0 ? [now()] : args),
    get: (target, name) => name === "now" ? now : Reflect.get(target, name)
  })
}
