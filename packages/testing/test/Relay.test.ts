import { Platform, Relay } from "@effect-identity/testing"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect } from "effect"

const make = Effect.gen(function*() {
  const platform = yield* Platform.Platform
  const relay = yield* Relay.make(Number(new URL(platform.idTokenEndpoint).port))
  const ask = Effect.promise(() =>
    fetch(`${relay.origin}/nowhere`, { headers: { connection: "close" } }).then(
      async (response) => `${response.status} ${(await response.text()).length}`,
      (error: unknown) => String(error)
    )
  )
  return { platform, relay, ask }
})

const layer = Platform.layer()

describe("Relay", () => {
  it.live("passes on what it was told nothing about", () =>
    Effect.gen(function*() {
      const { ask, relay } = yield* make
      assert.match(yield* ask, /^400 /)
      const [connection] = relay.connections
      assert.isAbove(connection?.sent ?? 0, 20)
      assert.isAbove(connection?.received ?? 0, 20)
    }).pipe(Effect.provide(layer)))

  for (const ending of ["reset", "close"] as const) {
    it.live(`ends a connection with ${ending} after so many bytes, and the next one not`, () =>
      Effect.gen(function*() {
        const { ask, relay } = yield* make
        relay.script({ cutAfter: 10, ending })
        assert.include(yield* ask, "TypeError")
        assert.strictEqual(relay.connections[0]?.received, 10)
        assert.match(yield* ask, /^400 /)
        assert.lengthOf(relay.connections, 2)
      }).pipe(Effect.provide(layer)))
  }

  it.live("lets nothing through when it cuts before the first byte", () =>
    Effect.gen(function*() {
      const { ask, platform, relay } = yield* make
      relay.script({ cutAfter: 0 })
      assert.include(yield* ask, "TypeError")
      assert.lengthOf(yield* platform.requests, 0)
    }).pipe(Effect.provide(layer)))

  it.live("passes on in pieces, late", () =>
    Effect.gen(function*() {
      const { ask, relay } = yield* make
      relay.script({ delay: "50 millis", drip: { bytes: 50, every: "10 millis" } })
      const [elapsed, answer] = yield* Effect.timed(ask)
      assert.match(answer, /^400 /)
      // The delay, and a pause before each of the pieces.
      const pieces = Math.ceil((relay.connections[0]?.received ?? 0) / 50)
      assert.isAbove(pieces, 2)
      assert.isAtLeast(Duration.toMillis(elapsed), 45 + 9 * pieces)
    }).pipe(Effect.provide(layer)))
})
