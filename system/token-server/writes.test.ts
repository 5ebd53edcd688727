/**
 * A server that is killed, or told to end, again and again while secrets are written: what it said was saved is there, whole,
 * and nothing is there in part. One that was told to end has answered all that it has done.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { createHash, randomBytes } from "node:crypto"
import { createServer } from "node:http"
import * as Server from "./Server.ts"
import * as Storage from "./Storage.ts"

/** Answers with a digest of what it was given, so that every part of a secret shows in the token. */
const echo = Effect.acquireRelease(
  Effect.callback<{ readonly origin: string; readonly stop: () => void }>((resume) => {
    const server = createServer((request, response) => {
      const query = new URL(request.url ?? "", "http://echo").searchParams
      const token = createHash("sha256").update(`${query.get("a")} ${query.get("b")}`).digest("hex")
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ token, left: 3600 }))
    })
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      resume(Effect.succeed({
        origin: `http://127.0.0.1:${port}`,
        stop: () => {
          server.closeAllConnections()
          server.close()
        }
      }))
    })
  }),
  ({ stop }) => Effect.sync(stop)
)

const realm = (origin: string) => ({
  id: "echo",
  config: {
    url: `${origin}/`,
    method: "GET",
    arguments: [
      { name: "a", place: "url", value: "$key_1" },
      { name: "b", place: "url", value: "$key_2" }
    ],
    token_path: "token",
    expires_in_path: "left",
    private_addresses: [new URL(origin).host]
  }
})

const partsOf = (version: string) => ({ key_1: `first-part-of-${version}`, key_2: `second-part-of-${version}` })

const tokenOf = (version: string) => {
  const { key_1, key_2 } = partsOf(version)
  return createHash("sha256").update(`${key_1} ${key_2}`).digest("hex")
}

/** What may be stored of a secret: what was last said to be saved, or what was being written when there was no answer. */
interface Written {
  readonly acknowledged: string | undefined
  readonly underWay: ReadonlyArray<string>
}

const secrets = Array.from({ length: 6 }, (_, nth) => `app-${nth}`)

/** Writes one version of a secret after the other until the server is gone. */
const write = async (port: number, key: string, secret: string, written: Map<string, Written>, onSaved: () => void) => {
  for (;;) {
    const version = `${secret}-${randomBytes(6).toString("hex")}`
    const before = written.get(secret)
    written.set(secret, { acknowledged: before?.acknowledged, underWay: [...before?.underWay ?? [], version] })
    const answer = await Server.ask(port, key, "POST", "/api/secret", {
      realm: "echo",
      key: secret,
      ...partsOf(version)
    })
      .catch(() => undefined)
    if (answer === undefined) return
    assert.strictEqual(answer.status, 200, JSON.stringify(answer.body))
    written.set(secret, { acknowledged: version, underWay: [] })
    onSaved()
  }
}

type Signal = "SIGKILL" | "SIGTERM"

/** Ends a server in the middle of writes, after some of them; how many it has acknowledged, and its exit code. */
const endAmongWrites = async (server: Server.Server, key: string, written: Map<string, Written>, signal: Signal) => {
  const endAfter = 1 + (randomBytes(1).readUInt8() % 30)
  let acknowledged = 0
  const onSaved = () => {
    acknowledged++
    if (acknowledged === endAfter) setImmediate(() => server.kill(signal))
  }
  await Promise.all(secrets.map((secret) => write(server.port, key, secret, written, onSaved)))
  return { acknowledged, code: await server.ended }
}

const check = Effect.fnUntraced(function*(env: Readonly<Record<string, string>>, signal: Signal, times: number) {
  const { origin } = yield* echo
  const port = yield* Server.freePort
  let server = yield* Server.start(port, env)
  const key = Server.adminKey(server)
  const saved = yield* Effect.promise(() => Server.ask(port, key, "POST", "/api/realm", realm(origin)))
  assert.strictEqual(saved.status, 200, JSON.stringify(saved.body))
  const written = new Map<string, Written>()
  let acknowledged = 0
  for (let nth = 0; nth < times; nth++) {
    const running = server
    const end = yield* Effect.promise(() => endAmongWrites(running, key, written, signal))
    assert.strictEqual(end.code, signal === "SIGKILL" ? null : 0, running.output())
    acknowledged += end.acknowledged
    server = yield* Server.start(port, env)
    for (const [secret, { acknowledged: last, underWay }] of written) {
      const answer = yield* Effect.promise(() => Server.token(port, key, "echo", secret))
      const possible = [...last === undefined ? [] : [last], ...signal === "SIGKILL" ? underWay : []]
      if (answer.status === 404 && last === undefined) continue
      assert.strictEqual(answer.status, 200, JSON.stringify(answer.body))
      assert.include(possible.map(tokenOf), answer.body["token"])
      const stored = possible.find((version) => tokenOf(version) === answer.body["token"])
      written.set(secret, { acknowledged: stored, underWay: [] })
    }
  }
  Server.report(`${times} times ${signal}, ${acknowledged} writes acknowledged`)
  assert.isAbove(acknowledged, times)
})

for (
  const { result, signal, times, what } of [
    { what: "is killed", signal: "SIGKILL", times: 50, result: "nothing in part" },
    { what: "is told to end", signal: "SIGTERM", times: 10, result: "nothing else" }
  ] as const
) {
  describe.concurrent(`a server that ${what} while it writes`, () => {
    it.live(`has what it acknowledged, and ${result}, on SQLite`, () =>
      Effect.gen(function*() {
        yield* check(yield* Storage.sqlite, signal, times)
      }), 600_000)

    it.live(`has what it acknowledged, and ${result}, on PostgreSQL`, () =>
      Effect.gen(function*() {
        yield* check((yield* Storage.postgres()).env, signal, times)
      }), 600_000)
  })
}
