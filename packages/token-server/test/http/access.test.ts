import { Api } from "@effect-identity/token-server"
import * as RouteTable from "@effect-identity/token-server/internal/http/RouteTable"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Server from "../Server.ts"

type Role = "admin" | "operator" | "reader"

interface Case {
  readonly route: string
  readonly lowest: Role
  /** A realm of the route is told by its address or body. */
  readonly ask: (realm: string) => Omit<Server.Asked, "key">
  /** What a caller gets who may. */
  readonly status: number
  /** What a caller gets who may, but has a key for other realms only. */
  readonly elsewhere: number
}

const config = { preset: "wecom" }

const post = (path: string, body: unknown): Omit<Server.Asked, "key"> => ({ method: "POST", path, body })

const cases: ReadonlyArray<Case> = [
  {
    route: "GET /api/token",
    lowest: "reader",
    ask: (realm) => ({ path: `/api/token?realm=${realm}&key=app` }),
    status: 200,
    elsewhere: 404
  },
  {
    route: "GET /api/token",
    lowest: "operator",
    ask: (realm) => ({ path: `/api/token?realm=${realm}&key=app&flush=true` }),
    status: 200,
    elsewhere: 404
  },
  {
    route: "POST /api/token/report",
    lowest: "reader",
    ask: (realm) => post("/api/token/report", { realm, key: "app", token: "refused" }),
    status: 200,
    elsewhere: 404
  },
  { route: "GET /api/realm", lowest: "operator", ask: () => ({ path: "/api/realm" }), status: 200, elsewhere: 200 },
  {
    route: "POST /api/realm",
    lowest: "admin",
    ask: (id) => post("/api/realm", { id, config }),
    status: 200,
    elsewhere: 404
  },
  {
    route: "GET /api/realm/:id",
    lowest: "operator",
    ask: (realm) => ({ path: `/api/realm/${realm}` }),
    status: 200,
    elsewhere: 404
  },
  {
    route: "GET /api/secret",
    lowest: "operator",
    ask: (realm) => ({ path: `/api/secret?realm=${realm}` }),
    status: 200,
    elsewhere: 404
  },
  {
    route: "POST /api/secret",
    lowest: "operator",
    ask: (realm) => post("/api/secret", { realm, key: "app", key_1: "a", key_2: "b" }),
    status: 200,
    elsewhere: 404
  },
  {
    route: "GET /api/secret/:realm/:key",
    lowest: "operator",
    ask: (realm) => ({ path: `/api/secret/${realm}/app` }),
    status: 200,
    elsewhere: 404
  },
  { route: "GET /api/presets", lowest: "reader", ask: () => ({ path: "/api/presets" }), status: 200, elsewhere: 200 },
  { route: "GET /api/key", lowest: "admin", ask: () => ({ path: "/api/key" }), status: 200, elsewhere: 403 },
  {
    route: "POST /api/key",
    lowest: "admin",
    ask: () => post("/api/key", { name: "one", role: "reader", realms: "*" }),
    status: 200,
    elsewhere: 403
  },
  {
    route: "DELETE /api/key/:id",
    lowest: "admin",
    ask: () => ({ method: "DELETE", path: "/api/key/none" }),
    status: 404,
    elsewhere: 403
  },
  { route: "GET /api/audit", lowest: "admin", ask: () => ({ path: "/api/audit" }), status: 200, elsewhere: 403 },
  {
    route: "DELETE /api/secret/:realm/:key",
    lowest: "operator",
    ask: (realm) => ({ method: "DELETE", path: `/api/secret/${realm}/app` }),
    status: 204,
    elsewhere: 404
  },
  {
    route: "DELETE /api/realm/:id",
    lowest: "admin",
    ask: (realm) => ({ method: "DELETE", path: `/api/realm/${realm}?cascade=true` }),
    status: 204,
    elsewhere: 404
  }
]

const ranks = { reader: 0, operator: 1, admin: 2 }

const roles: ReadonlyArray<Role> = ["reader", "operator", "admin"]

/** A server with a realm `wx` that has a secret `app`. */
const start = Effect.gen(function*() {
  const { config, values } = yield* Server.upstream
  const server = yield* Server.start()
  const admin = yield* server.key("admin")
  yield* server.send({ ...post("/api/realm", { id: "wx", config }), key: admin })
  yield* server.send({ ...post("/api/secret", { realm: "wx", key: "app", ...values }), key: admin })
  return { ...server, admin }
})

const shown = ({ headers, status, text }: Server.Answer) => ({
  status,
  text,
  challenge: headers["www-authenticate"],
  type: headers["content-type"]
})

describe("access", () => {
  it("is told for every route there is", () => {
    const declared = RouteTable.ofApi(Api.Api).map(({ method, path }) => `${method} ${path}`)
    assert.sameMembers([...new Set(cases.map(({ route }) => route))], declared)
  })

  it.live("is for those with a key, a role and a grant, on every route", () =>
    Effect.gen(function*() {
      for (const { ask, elsewhere, lowest, route, status } of cases) {
        for (const role of roles) {
          const { key, send } = yield* start
          const isAllowed = ranks[role] >= ranks[lowest]
          const told = (answer: Server.Answer) => `${role} ${route}: ${answer.text}`

          const others = yield* send({ ...ask("wx"), key: yield* key(role, ["other"]) })
          assert.strictEqual(others.status, isAllowed ? elsewhere : 403, told(others))

          const own = yield* send({ ...ask("wx"), key: yield* key(role, "*") })
          assert.strictEqual(own.status, isAllowed ? status : 403, told(own))
          if (!isAllowed) {
            assert.strictEqual(own.headers["www-authenticate"], "Bearer error=\"insufficient_scope\"")
            assert.deepInclude(own.json, { code: "role_too_low", status: 403 })
          }
        }
      }
    }).pipe(Effect.scoped))

  it.live("is for nobody without a key that is good, whatever the route", () =>
    Effect.gen(function*() {
      const { admin, key, send } = yield* start
      const expired = yield* key("admin", "*", 1)
      const made = yield* send({ ...post("/api/key", { name: "one", role: "admin", realms: "*" }), key: admin })
      const revoked = made.json as { readonly id: string; readonly key: string }
      yield* send({ method: "DELETE", path: `/api/key/${revoked.id}`, key: admin })

      for (const { ask, route } of cases) {
        const without = yield* send(ask("wx"))
        assert.strictEqual(without.status, 401, route)
        assert.strictEqual(without.headers["www-authenticate"], "Bearer")
        for (const each of ["nonsense", `tsk_${"a".repeat(43)}`, expired, revoked.key]) {
          const answer = yield* send({ ...ask("wx"), key: each })
          assert.strictEqual(answer.status, 401, `${route} ${answer.text}`)
          assert.strictEqual(answer.headers["www-authenticate"], "Bearer error=\"invalid_token\"")
        }
        const basic = yield* send({ ...ask("wx"), headers: { authorization: `Basic ${btoa(`a:${admin}`)}` } })
        assert.strictEqual(basic.status, 401, route)
      }
    }).pipe(Effect.scoped))

  it.live("gives no answer by which a realm without grant could be told from one that is not there", () =>
    Effect.gen(function*() {
      for (const { ask, elsewhere } of cases) {
        if (elsewhere !== 404) continue
        for (const role of roles) {
          const { key, send } = yield* start
          const stranger = yield* key(role, ["other"])
          const there = yield* send({ ...ask("wx"), key: stranger })
          const missing = yield* send({ ...ask("missing"), key: stranger })
          assert.deepEqual(shown(there), shown(missing))
        }
      }
    }).pipe(Effect.scoped))
})
