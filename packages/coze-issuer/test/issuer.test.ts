import { CozeOAuth } from "@effect-identity/testing"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber } from "effect"
import { as, ask, callers, entries, keys, tokenOf, wanting } from "./Entry.ts"

const layer = CozeOAuth.layer()

for (const entry of entries) {
  describe(`the issuer, on ${entry.name}`, () => {
    const start = Effect.fnUntraced(function*(env: Readonly<Record<string, string>> = {}) {
      const coze = yield* CozeOAuth.CozeOAuth
      const issuer = yield* Effect.orDie(entry.start({ ...coze.env, ...callers, ...env }))
      return { coze, ...issuer }
    })

    it.live("gives a token for POST /, with its end and what is really left", () =>
      Effect.gen(function*() {
        const { coze, origin } = yield* start()
        const answer = yield* ask(`${origin}/`, as(keys.any))
        const now = (yield* Clock.currentTimeMillis) / 1000
        assert.strictEqual(answer.status, 200)
        assert.sameMembers(Object.keys(answer.body), ["access_token", "token_type", "expires_in", "expires_at"])
        assert.strictEqual(answer.body["token_type"], "Bearer")
        assert.closeTo(Number(answer.body["expires_in"]), 900, 10)
        assert.closeTo(Number(answer.body["expires_at"]), now + 900, 10)
        assert.deepInclude(yield* coze.grantOf(tokenOf(answer)), { sessionName: undefined, durationSeconds: 900 })
      }).pipe(Effect.provide(layer)))

    it.live("gives a token for the session of X-User-ID, and the one that is held to whoever asks again", () =>
      Effect.gen(function*() {
        const { coze, origin } = yield* start({ TOKEN_DURATION: "60" })
        const first = yield* ask(`${origin}/`, as(keys.any, { "x-user-id": "user123" }))
        const second = yield* ask(`${origin}/v1/tokens`, wanting(keys.any, { session: "user123" }))
        assert.strictEqual(tokenOf(first), tokenOf(second))
        assert.strictEqual(first.body["expires_at"], second.body["expires_at"])
        assert.deepInclude(yield* coze.grantOf(tokenOf(first)), { sessionName: "user123", durationSeconds: 60 })
        assert.lengthOf(yield* coze.requests, 1)
      }).pipe(Effect.provide(layer)))

    it.live("passes on what POST /v1/tokens wants", () =>
      Effect.gen(function*() {
        const { coze, origin } = yield* start()
        const scope = { account_permission: { permission_list: ["Connector.botChat"] } }
        const context = { device_info: { device_id: "d1" } }
        const answer = yield* ask(
          `${origin}/v1/tokens`,
          wanting(keys.any, { session: "ä ☃", session_context: context, duration_seconds: 90, scope })
        )
        assert.strictEqual(answer.status, 200)
        assert.deepStrictEqual(yield* coze.grantOf(tokenOf(answer)), {
          path: "/api/permission/oauth2/token",
          durationSeconds: 90,
          scope,
          sessionName: "ä ☃",
          sessionContext: context
        })
      }).pipe(Effect.provide(layer)))

    for (
      const [name, path] of [
        ["ACCOUNT_ID", "/api/permission/oauth2/account/42/token"],
        ["ENTERPRISE_ID", "/api/permission/oauth2/enterprise_id/42/token"]
      ] as const
    ) {
      it.live(`asks for the tokens of ${name}`, () =>
        Effect.gen(function*() {
          const { coze, origin } = yield* start({ [name]: "42" })
          const answer = yield* ask(`${origin}/`, as(keys.any))
          assert.strictEqual((yield* coze.grantOf(tokenOf(answer)))?.path, path)
        }).pipe(Effect.provide(layer)))
    }

    it.live("asks Coze once for 1,000 requests of one session", () =>
      Effect.gen(function*() {
        const { coze, origin } = yield* start()
        yield* coze.behave({ delay: "200 millis" })
        const tokens = yield* Effect.forEach(
          Array.from({ length: 1_000 }),
          () => Effect.map(ask(`${origin}/`, as(keys.any, { "x-user-id": "one" })), tokenOf),
          { concurrency: 100 }
        )
        assert.lengthOf(tokens, 1_000)
        assert.strictEqual(new Set(tokens).size, 1)
        assert.lengthOf(yield* coze.requests, 1)
      }).pipe(Effect.provide(layer)), 60_000)

    it.live(
      "W7: never crosses the tokens of 100 sessions that ask at once, again and again",
      () =>
        Effect.gen(function*() {
          const { coze, origin } = yield* start()
          yield* coze.behave({ delay: "50 millis" })
          const sessions = Array.from({ length: 100 }, (_, index) => `user-${index}`)
          const asked = [...sessions, ...sessions, ...sessions.toReversed()]
          const held = yield* Effect.forEach(
            asked,
            (session) =>
              Effect.map(
                ask(`${origin}/`, as(keys.any, { "x-user-id": session })),
                (answer) => [session, tokenOf(answer)] as const
              ),
            { concurrency: 100 }
          )
          for (const [session, accessToken] of held) {
            assert.strictEqual((yield* coze.grantOf(accessToken))?.sessionName, session)
          }
          assert.strictEqual(new Set(held.map(([, accessToken]) => accessToken)).size, 100)
          assert.lengthOf(yield* coze.requests, 100)
        }).pipe(Effect.provide(layer)),
      60_000
    )

    it.live("gives whoever comes later the token of a caller who has gone", () =>
      Effect.gen(function*() {
        const { coze, origin } = yield* start()
        yield* coze.behave({ delay: "300 millis" })
        const gone = yield* Effect.forkChild(ask(`${origin}/`, as(keys.any)), { startImmediately: true })
        yield* coze.requestsUntil((requests) => requests.length === 1)
        const next = yield* Effect.forkChild(ask(`${origin}/`, as(keys.any)), { startImmediately: true })
        yield* Fiber.interrupt(gone)
        assert.strictEqual((yield* Fiber.join(next)).status, 200)
        assert.strictEqual((yield* ask(`${origin}/`, as(keys.any))).status, 200)
        assert.isAtMost((yield* coze.requests).length, 2)
      }).pipe(Effect.provide(layer)))

    it.live(
      "replaces a token behind the back of callers, and hands out none that has ended",
      () =>
        Effect.gen(function*() {
          const { coze, origin } = yield* start({ TOKEN_DURATION: "4" })
          const seen = new Set<string>()
          const askOnce = Effect.gen(function*() {
            const before = (yield* Clock.currentTimeMillis) / 1000
            const answer = yield* ask(`${origin}/`, as(keys.any))
            const after = (yield* Clock.currentTimeMillis) / 1000
            assert.strictEqual(answer.status, 200)
            const end = Number(answer.body["expires_at"])
            assert.isAbove(end, after)
            // Tokens are handed out for the first half of their life: what is left of them is never what they had.
            assert.isAtMost(Number(answer.body["expires_in"]), end - before)
            assert.isAtLeast(Number(answer.body["expires_in"]), Math.floor(end - after) - 1)
            seen.add(tokenOf(answer))
            return seen.size
          })
          yield* Effect.repeat(askOnce, { until: (tokens) => tokens === 4 })
          assert.isAtMost((yield* coze.requests).length, 5)
        }).pipe(Effect.provide(layer)),
      30_000
    )

    it.live("W8: needs no memory: another one that starts anew gives tokens as well", () =>
      Effect.gen(function*() {
        const first = yield* start()
        const second = yield* start()
        for (const { origin } of [first, second]) {
          assert.strictEqual((yield* ask(`${origin}/`, as(keys.any))).status, 200)
        }
        assert.lengthOf(yield* first.coze.requests, 2)
      }).pipe(Effect.provide(layer)))
  })
}
