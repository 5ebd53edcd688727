// @effect-diagnostics globalDate:off
/**
 * The wall clock of this process, set forward or back. The monotonic clock stays.
 */
const real = Date
let ahead = 0

const now = () => real.now() + ahead

/** Sets it forward by so much, from where it stands. */
export const shift = (millis: number): void => {
  ahead += millis
  globalThis.Date = new Proxy(real, {
    construct: (target, args) => Reflect.construct(target, args.length === 0 ? [now()] : args),
    get: (target, name) => name === "now" ? now : Reflect.get(target, name)
  })
}
