import { OAuthError } from "@effect-identity/oauth"
import { SecretSweep } from "@effect-identity/testing"
import { Problem } from "@effect-identity/token-server"
import * as Failure from "@effect-identity/token-server/internal/Failure"
import { ApiKeyStore } from "@effect-identity/token-server/internal/store/ApiKeyStore"
import { AuditStore } from "@effect-identity/token-server/internal/store/AuditStore"
import { Tokens, type TokensFailure } from "@effect-identity/token-server/internal/tokens/Tokens"
import { assert, describe, it } from "@effect/vitest"
import { Context, Duration, Effect, Exit, Layer, Schema, Scope } from "effect"
import { inspect } from "node:util"
import * as Memory from "../Memory.ts"
import * as Server from "../Server.ts"

const failingTokens = (get: Effect.Effect<never, TokensFailure>) =>
  Layer.merge(
    Memory.layer,
    Layer.succeed(
      Tokens,
      Tokens.of({
        get: () => get,
        flush: () => get,
        report: () => get,
        peekUnsafe: () => undefined,
        forget: () => Effect.void
      })
    )
  )

const upstream = (
  reason: Failure.UpstreamFailed["reason"],
  retryAfter?: Duration.Duration
): Failure.UpstreamFailed => new Failure.UpstreamFailed({ reason, retryAfter, requestId: "log-1" })

const refused = (code: string | undefined) => new Failure.Refused({ status: 200, code, isRetryable: false })

const unusable = (detail: Failure.Unusable["detail"]) => upstream(new Failure.Unusable({ detail }))

const unsealable = new Failure.Unsealable({ detail: "ciphertext", keyId: "k1" })

const table: ReadonlyArray<readonly [TokensFailure, number, Problem.Code, string?]> = [
  [new Failure.NotFound({ what: "secret" }), 404, "not_found"],
  [new Failure.NotFound({ what: "realm" }), 404, "not_found"],
  [new Failure.Conflict({ rule: "somebody else changed it" }), 409, "conflict"],
  [new Failure.BudgetSpent({ retryAfter: Duration.millis(1500) }), 429, "budget_spent", "2"],
  [new Failure.StoreFailed({ detail: "unavailable" }), 503, "store_unavailable", "1"],
  [new Failure.StoreFailed({ detail: "busy" }), 503, "store_unavailable", "1"],
  [new Failure.StoreFailed({ detail: "full" }), 503, "store_full"],
  [new Failure.StoreFailed({ detail: "schema" }), 503, "store_schema"],
  [unsealable, 500, "secret_unreadable"],
  [upstream(refused("40001")), 502, "upstream_refused"],
  [upstream(refused(undefined), Duration.seconds(7)), 502, "upstream_refused", "7"],
  [unusable("egress"), 502, "upstream_not_allowed"],
  [unusable("answer"), 502, "upstream_invalid_answer"],
  [unusable("queue"), 503, "upstream_busy", "1"],
  [unusable("superseded"), 503, "superseded", "1"],
  [upstream(new OAuthError.Timeout({ detail: "total" })), 504, "upstream_timeout"],
  [upstream(new OAuthError.Transport({ detail: "refused" })), 502, "upstream_unreachable"],
  [upstream(new OAuthError.Tls({ detail: "expired" })), 502, "upstream_unreachable"],
  [upstream(new OAuthError.Closed()), 503, "shutting_down", "1"]
]

const ask = { path: "/api/token?realm=wx&key=app" }

const decode = Schema.decodeUnknownEffect(Problem.Problem)

describe("a failure", () => {
  it.live("is a problem with a code, a status and the time to come back", () =>
    Effect.gen(function*() {
      for (const [failure, status, code, retryAfter] of table) {
        const { key, send } = yield* Server.start(failingTokens(Effect.fail(failure)))
        const answer = yield* send({ ...ask, key: yield* key("reader") })
        assert.deepEqual(
          [answer.status, answer.headers["content-type"], answer.headers["retry-after"]],
          [status, "application/problem+json", retryAfter],
          answer.text
        )
        const problem = yield* decode(answer.json)
        assert.deepInclude({ ...problem }, { type: "about:blank", status, code, title: code.replaceAll("_", " ") })
        assert.strictEqual(problem.retry_after === undefined ? undefined : String(problem.retry_after), retryAfter)
        if (code === "upstream_refused") {
          assert.strictEqual(problem.upstream_code, retryAfter === undefined ? "40001" : undefined)
        }
      }
    }).pipe(Effect.scoped))

  it.live("that nobody expected is an id, and the log has the same and no text of it", () =>
    Effect.gen(function*() {
      const told = { sql: "SELECT value FROM secrets WHERE id = 7", secret: "hunter2-hunter2" }
      const { exit, shown } = yield* SecretSweep.watch(
        Effect.gen(function*() {
          const { key, send } = yield* Server.start(
            failingTokens(Effect.die(new TypeError(`${told.sql} ${told.secret}`)))
          )
          return yield* send({ ...ask, key: yield* key("reader") })
        }).pipe(Effect.scoped)
      )
      const answer = yield* exit
      assert.strictEqual(answer.status, 500)
      const { id, ...problem } = { ...(yield* decode(answer.json)) }
      assert.match(id ?? "", /^[\da-f]{24}$/)
      assert.deepInclude(problem, { code: "internal_error", title: "internal error" })
      assert.deepEqual(SecretSweep.find([answer, shown], told), [])
      assert.include(inspect(shown, { depth: 8 }), id ?? "?")
      assert.include(inspect(shown, { depth: 8 }), "TypeError")
    }))
})

/** An audit trail that can be taken down. */
const audited = Effect.gen(function*() {
  const context = yield* Layer.build(Memory.layer)
  const store = Context.get(context, AuditStore)
  const state = { isDown: false }
  const down = new Failure.StoreFailed({ detail: "full" })
  const guarded = AuditStore.of({
    append: (entries) => Effect.suspend(() => state.isDown ? Effect.fail(down) : store.append(entries)),
    recorded: (entry, change) => Effect.suspend(() => state.isDown ? Effect.fail(down) : store.recorded(entry, change)),
    list: store.list
  })
  return { context: Context.add(context, AuditStore, guarded), state, store }
})

describe("without its audit trail the server", () => {
  it.live("changes nothing, hands out tokens, and writes down later who read them", () =>
    Effect.gen(function*() {
      const { context, state, store } = yield* audited
      const scope = yield* Scope.make()
      const { key, send } = yield* Server.start(Layer.succeedContext(context)).pipe(Scope.provide(scope))
      const admin = yield* key("admin")
      const save = (name: string) =>
        send({ method: "POST", path: "/api/secret", key: admin, body: { realm: "wx", key: name, key_1: "a" } })
      assert.strictEqual((yield* save("app")).status, 200)

      state.isDown = true
      const changes: ReadonlyArray<Server.Asked> = [
        { method: "POST", path: "/api/realm", body: { id: "wx", config: { preset: "wecom" } } },
        { method: "POST", path: "/api/secret", body: { realm: "wx", key: "other", key_1: "a" } },
        { method: "DELETE", path: "/api/secret/wx/app" },
        { method: "POST", path: "/api/key", body: { name: "one", role: "reader", realms: "*" } }
      ]
      for (const change of changes) {
        const answer = yield* send({ ...change, key: admin })
        assert.deepEqual([answer.status, (yield* decode(answer.json)).code], [503, "store_full"], answer.text)
      }
      assert.strictEqual((yield* send({ path: "/api/secret/wx/other", key: admin })).status, 404)
      assert.strictEqual((yield* send({ path: "/api/realm/wx", key: admin })).status, 404)
      for (let reads = 0; reads < 5; reads++) {
        assert.strictEqual((yield* send({ ...ask, key: admin })).status, 200)
      }

      state.isDown = false
      yield* Scope.close(scope, Exit.void)
      const { list } = yield* store.list({
        page: 1,
        pageSize: 100,
        actor: undefined,
        action: "token.read",
        realm: undefined,
        since: undefined,
        until: undefined
      })
      assert.strictEqual(list.reduce((sum, { count }) => sum + count, 0), 5)
      assert.isTrue(list.every(({ outcome, realm, subject }) =>
        outcome === "ok" && realm === "wx" && subject !== undefined && subject !== "app"
      ))
    }))
})

describe("without its database the server", () => {
  it.live("goes on reading tokens for keys that were good, and lets nobody change anything", () =>
    Effect.gen(function*() {
      const context = yield* Layer.build(Memory.layer)
      const store = Context.get(context, ApiKeyStore)
      const state = { isDown: false }
      const down = new Failure.StoreFailed({ detail: "unavailable" })
      const guarded = ApiKeyStore.of({
        ...store,
        find: (digest) => Effect.suspend(() => state.isDown ? Effect.fail(down) : store.find(digest))
      })
      const { key, send } = yield* Server.start(Layer.succeedContext(Context.add(context, ApiKeyStore, guarded)))
      const [known, unknown] = [yield* key("admin"), yield* key("admin")]
      yield* send({ method: "POST", path: "/api/secret", key: known, body: { realm: "wx", key: "app", key_1: "a" } })
      assert.strictEqual((yield* send({ ...ask, key: known })).status, 200)

      state.isDown = true
      assert.strictEqual((yield* send({ ...ask, key: known })).status, 200)
      const stranger = yield* send({ ...ask, key: unknown })
      assert.deepEqual([stranger.status, stranger.headers["retry-after"]], [503, "1"])
    }).pipe(Effect.scoped))
})
