import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Fleet from "./Fleet.ts"

describe("a fleet that was started together", () => {
  it.effect("spreads its refreshes: never a twentieth of it in one second, and nobody waits", () =>
    Effect.gen(function*() {
      // A tenth of it reads in a second: where all are due at once, that many ask.
      const course = yield* Fleet.run({ workloads: 1000, hours: 1, lifetime: "1 hour", readEvery: 10 })
      assert.strictEqual(course.requests[0], 1000)
      assert.isBelow(Fleet.busiest(course).share, 0.05)
      assert.strictEqual(Fleet.troubled(course), 0)
      assert.strictEqual(Fleet.rate(course), 2)
    }))

  it.effect("gets through ten minutes without an issuer, and none of it notices", () =>
    Effect.gen(function*() {
      const course = yield* Fleet.run({
        workloads: 100,
        hours: 1,
        lifetime: "1 hour",
        readEvery: 5,
        outage: { from: "40 minutes", lasting: "10 minutes" }
      })
      assert.strictEqual(Fleet.troubled(course), 0)
      // At most one attempt a second and workload would be 600; the pauses grow to half a minute.
      assert.isBelow(Fleet.rate(course), 30)
    }))
})
