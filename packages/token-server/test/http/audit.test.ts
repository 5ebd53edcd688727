import { AuditStore } from "@effect-identity/token-server/internal/store/AuditStore"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Layer, Scope } from "effect"
import * as Server from "../Server.ts"

const everything = {
  page: 1,
  pageSize: 100,
  actor: undefined,
  action: undefined,
  realm: undefined,
  since: undefined,
  until: undefined
}

describe("the audit trail", () => {
  it.live("counts who read which token and who was refused, whichever way the answer took", () =>
    Effect.gen(function*() {
      const { config, values } = yield* Server.upstream
      const context = yield* Layer.build(Server.real)
      const scope = yield* Scope.make()
      const { key, send } = yield* Server.start(Layer.succeedContext(context)).pipe(Scope.provide(scope))
      const [admin, reader, stranger] = [yield* key("admin"), yield* key("reader"), yield* key("reader", ["other"])]
      const post = (path: string, body: unknown) => ({ method: "POST", path, body })
      const token = "/api/token?realm=wx&key=app"
      yield* send({ key: admin, ...post("/api/realm", { id: "wx", config }) })
      yield* send({ key: admin, ...post("/api/secret", { realm: "wx", key: "app", ...values }) })
      for (let reads = 0; reads < 7; reads++) yield* send({ key: reader, path: token })
      yield* send({ key: reader, path: "/api/token?realm=wx&key=none" })
      yield* send({ key: reader, path: `${token}&flush=true` })
      yield* send({ key: admin, path: `${token}&flush=true` })
      for (let tries = 0; tries < 3; tries++) yield* send({ key: stranger, path: token })
      for (let tries = 0; tries < 2; tries++) yield* send({ key: stranger, ...post("/api/secret", {}) })
      yield* send({ key: admin, ...post("/api/realm", { id: "wx", config, version: 7 }) })
      yield* Scope.close(scope, Exit.void)

      const { list } = yield* Context.get(context, AuditStore).list(everything)
      const counts = new Map<string, number>()
      for (const { action, count, outcome, realm } of list) {
        const name = [action, realm, outcome].join(" ")
        counts.set(name, (counts.get(name) ?? 0) + count)
      }
      assert.deepEqual(Object.fromEntries(counts), {
        "realm.save wx ok": 1,
        "realm.save wx failed": 1,
        "secret.save wx ok": 1,
        "token.read wx ok": 7,
        "token.read wx failed": 1,
        "token.read wx denied": 3,
        "token.flush wx denied": 1,
        "token.flush wx ok": 1,
        "POST /api/secret  denied": 2
      })
      assert.isTrue(list.every(({ subject }) => subject === undefined || /^[\da-f]{32}$/.test(subject)))
    }).pipe(Effect.scoped))
})
