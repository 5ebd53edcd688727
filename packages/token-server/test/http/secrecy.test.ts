import { SecretSweep, SpanRecorder } from "@effect-identity/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Metric, References } from "effect"
import { inspect } from "node:util"
import * as Server from "../Server.ts"

/** A value of a secret that appears in no request but the one that saves it. */
const values = { key_1: "corp-4f1c93a7d2", key_2: "s3cr3t/of+the=app&7c1f0e9b" }

const post = (path: string, body: unknown) => ({ method: "POST", path, body })

const sends = (key: string) => (asked: Server.Asked): Server.Asked => ({ key, ...asked })

type Upstream = Effect.Success<typeof Server.upstream>

/** What a caller may see are its token and its new key; everything else is looked through. */
const session = Effect.fnUntraced(function*({ config, weChat }: Upstream) {
  const server = yield* Server.start()
  const [admin, stranger] = [yield* server.key("admin"), yield* server.key("reader", ["other"])]
  const seen: Array<Server.Answer> = []
  const made = yield* server.send({ key: admin, ...post("/api/key", { name: "ci", role: "reader", realms: "*" }) })
  const secrets: Record<string, string> = { admin, stranger, made: (made.json as { readonly key: string }).key }

  const realm = { ...config, preset: "wecom", url: weChat.weComTokenUrl }
  const wrong = { ...values, key_2: ["s3cr3t/of+the=app&7c1f0e9b"] }
  const token = "/api/token?realm=wx&key=app"
  const asked: ReadonlyArray<Server.Asked> = [
    ...[
      post("/api/realm", { id: "wx", config }),
      post("/api/secret", { realm: "wx", key: "app", key_1: weChat.appId, key_2: weChat.appSecret }),
      post("/api/secret", { realm: "wx", key: "bad", ...values }),
      post("/api/secret", { realm: "wx", key: "bad", ...values, generation: 7 }),
      post("/api/secret", { realm: "wx", key: "bad", ...wrong }),
      post("/api/secret", { realm: "wx", key: "bad", [values.key_2]: values.key_1 }),
      post("/api/secret", `{"realm":"wx","key_1":"${values.key_2}`),
      post("/api/realm", { id: "co", config: realm }),
      post("/api/secret", { realm: "co", key: "bad", ...values }),
      { path: "/api/token?realm=wx&key=bad" },
      { path: "/api/token?realm=co&key=bad" },
      { path: `/api/token?realm=wx&key=${encodeURIComponent(values.key_2)}` },
      { path: `/api/${encodeURIComponent(values.key_2)}` },
      { path: "/api/secret" },
      { path: "/api/secret/wx/app" },
      { path: "/api/key" },
      { path: "/api/realm" },
      { path: "/api/audit?pageSize=100" }
    ].map(sends(admin)),
    { path: token, key: stranger },
    { path: token, key: `${admin}x` },
    { path: token, headers: { authorization: `Basic ${admin}` } },
    { path: `${token}&key=${admin}` },
    { path: `/${admin}`, method: admin.slice(4, 20) }
  ]
  for (const each of asked) seen.push(yield* server.send(each))

  for (const path of [token, token, `${token}&flush=true`]) {
    const answer = yield* server.send({ key: admin, path })
    assert.strictEqual(answer.status, 200, answer.text)
    seen.push({ ...answer, text: "", json: undefined })
  }
  const issued = yield* weChat.issued
  assert.isAbove(issued.length, 1)
  seen.push(
    yield* server.send({ key: admin, ...post("/api/token/report", { realm: "wx", key: "app", token: issued[0] }) })
  )
  issued.forEach((value, index) => secrets[`token ${index}`] = value)
  return { seen, secrets: { ...secrets, ...values, appSecret: weChat.appSecret } }
})

describe("secrets", () => {
  it.live("are in no answer but the one they are for, and in no log, span or metric", () =>
    Effect.gen(function*() {
      // Its own spans are not the server's.
      const upstream = yield* Server.upstream
      const { spans, tracer } = SpanRecorder.make()
      const { exit, shown } = yield* SecretSweep.watch(
        session(upstream).pipe(
          Effect.scoped,
          Effect.withTracer(tracer),
          Effect.provideService(References.MinimumLogLevel, "All")
        )
      )
      assert.isTrue(Exit.isSuccess(exit), inspect(exit, { depth: 6 }))
      const { secrets, seen } = yield* exit
      const told = spans.map(({ attributes, name, status }) => inspect({ name, status, attributes }, { depth: 6 }))
      assert.includeMembers(spans.map(({ name }) => name), ["POST /api/secret", "GET /api/token", "GET"])
      const metrics = inspect(yield* Metric.snapshot, { depth: 6 })
      for (const place of [seen, shown, told, metrics]) assert.deepEqual(SecretSweep.find(place, secrets), [])
    }))
})
