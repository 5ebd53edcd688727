import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { createHash } from "node:crypto"
import * as Server from "../Server.ts"

const post = (path: string, body: unknown) => ({ method: "POST", path, body })

const start = Effect.gen(function*() {
  const { config, values } = yield* Server.upstream
  const server = yield* Server.start()
  const key = yield* server.key("admin")
  const ask = (asked: Server.Asked) => server.send({ key, ...asked })
  yield* ask(post("/api/realm", { id: "wx", config }))
  yield* ask(post("/api/secret", { realm: "wx", key: "app", ...values }))
  return { ...server, ask, host: `127.0.0.1:${server.port}` }
})

describe("browsers", () => {
  it.live("change nothing for a page of another origin", () =>
    Effect.gen(function*() {
      const { ask, host } = yield* start
      const changes: ReadonlyArray<Server.Asked> = [
        post("/api/realm", { id: "other", config: { preset: "wecom" } }),
        post("/api/secret", { realm: "wx", key: "other", key_1: "a", key_2: "b" }),
        post("/api/key", { name: "one", role: "admin", realms: "*" }),
        post("/api/token/report", { realm: "wx", key: "app", token: "refused" }),
        { path: "/api/token?realm=wx&key=app&flush=true" },
        { path: "/api/token?realm=wx&key=app&%66lush=true" },
        { path: "/api/token?realm=wx&key=app&flush=false&flush=true" },
        { method: "DELETE", path: "/api/secret/wx/app" },
        { method: "DELETE", path: "/api/realm/wx?cascade=true" }
      ]
      const foreign: ReadonlyArray<Readonly<Record<string, string>>> = [
        { origin: "https://evil.example" },
        { origin: "null" },
        { origin: `http://${host}.evil.example` },
        { "sec-fetch-site": "cross-site" },
        { "sec-fetch-site": "same-site" },
        { origin: `http://${host}`, "sec-fetch-site": "cross-site", "sec-fetch-dest": "image" }
      ]
      for (const change of changes) {
        for (const headers of foreign) {
          const answer = yield* ask({ ...change, headers })
          assert.strictEqual(answer.status, 403, `${change.path} ${JSON.stringify(headers)}`)
          assert.deepInclude(answer.json, { code: "cross_site" })
        }
      }
      const form = { "content-type": "application/x-www-form-urlencoded", origin: "null" }
      assert.strictEqual((yield* ask({ method: "POST", path: "/api/realm", headers: form, body: "id=a" })).status, 403)
      const realms = yield* ask({ path: "/api/realm" })
      assert.deepInclude((realms.json as { readonly data: unknown }).data, { total: 1 })
      assert.strictEqual((yield* ask({ path: "/api/secret/wx/app" })).status, 200)
    }).pipe(Effect.scoped))

  it.live("may ask from a page of this server", () =>
    Effect.gen(function*() {
      const { ask, host } = yield* start
      const headers = { origin: `http://${host}`, "sec-fetch-site": "same-origin" }
      const saved = yield* ask({ ...post("/api/realm", { id: "other", config: { preset: "wecom" } }), headers })
      assert.strictEqual(saved.status, 200)
    }).pipe(Effect.scoped))

  it.live("are told on every answer to store, frame, guess and share nothing", () =>
    Effect.gen(function*() {
      const { ask } = yield* start
      const asked: ReadonlyArray<Server.Asked> = [
        { path: "/api/token?realm=wx&key=app" },
        { path: "/api/token?realm=wx&key=app" },
        { path: "/api/realm" },
        { path: "/api/openapi.json" },
        { path: "/nothing" },
        { method: "OPTIONS", path: "/api/realm", headers: { origin: "https://a.example" } },
        { path: "/api/realm", key: undefined },
        { method: "DELETE", path: "/api/secret/wx/app" }
      ]
      for (const each of asked) {
        const { headers } = yield* ask(each)
        assert.deepInclude(headers, {
          "cache-control": "no-store",
          "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
          "x-content-type-options": "nosniff"
        }, each.path)
        assert.strictEqual(headers["access-control-allow-origin"], undefined)
      }
    }).pipe(Effect.scoped))

  it.live("get a page about the API whose scripts are the ones its own policy allows, and that asks no other server", () =>
    Effect.gen(function*() {
      const { send } = yield* start
      const { headers, text } = yield* send({ path: "/docs" })
      const policy = headers["content-security-policy"] ?? ""
      assert.include(policy, "default-src 'none'")
      const scripts = [...text.matchAll(/<script([^>]*)>([\s\S]*?)<\/script>/g)]
      assert.strictEqual(scripts.length, 2)
      for (const [, attributes, script = ""] of scripts) {
        assert.strictEqual(attributes, "")
        assert.include(policy, `'sha256-${createHash("sha256").update(script).digest("base64")}'`)
      }
      assert.notMatch(text.replaceAll(/<script[\s\S]*?<\/script>/g, ""), /https?:/)
    }).pipe(Effect.scoped))

  it.live("and everyone else get the description of the API without a key", () =>
    Effect.gen(function*() {
      const { send } = yield* start
      const { json } = yield* send({ path: "/api/openapi.json" })
      assert.deepInclude(json, { openapi: "3.1.0" })
      const { paths } = json as { readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>> }
      assert.sameMembers(Object.keys(paths), [
        "/api/token",
        "/api/token/report",
        "/api/realm",
        "/api/realm/{id}",
        "/api/secret",
        "/api/secret/{realm}/{key}",
        "/api/key",
        "/api/key/{id}",
        "/api/audit",
        "/api/presets"
      ])
      assert.nestedProperty(paths["/api/token"], "get.responses.429.content.application/problem+json")
    }).pipe(Effect.scoped))
})

describe("paths", () => {
  it.live("are looked up as they are written, and no other way to write them gets anywhere", () =>
    Effect.gen(function*() {
      const { ask, send } = yield* start
      const paths = [
        "//api/realm",
        "/api//realm",
        "/api/realm/",
        "/api/realm.",
        "/api/realm/wx.",
        "/api/realm/wx/",
        "/API/realm",
        "/api/Realm",
        "/api%2frealm",
        "/api/%72ealm",
        "/api/realm%2fwx",
        "/api/realm/w%78",
        "/api/realm;a=b",
        "/api/./realm",
        "/api/presets/../realm",
        "/api/presets/%2e%2e/realm",
        "/api\\realm",
        "/api/realm%00",
        "/api/realm/__proto__.",
        "/api/token/%2e%2e/realm",
        "*"
      ]
      for (const path of paths) {
        for (const answer of [yield* ask({ path }), yield* send({ path })]) {
          assert.strictEqual(answer.status, 404, path)
          assert.deepInclude(answer.json, { code: "not_found" })
        }
      }
    }).pipe(Effect.scoped))

  it.live("take the method that is in the request, whatever its head or address say", () =>
    Effect.gen(function*() {
      const { ask } = yield* start
      for (const name of ["x-http-method-override", "x-method-override", "x-http-method"]) {
        assert.strictEqual((yield* ask({ path: "/api/realm/wx", headers: { [name]: "DELETE" } })).status, 200)
      }
      assert.strictEqual((yield* ask({ path: "/api/realm/wx?_method=DELETE" })).status, 200)
      for (const method of ["HEAD", "PUT", "PATCH", "OPTIONS", "TRACE", "POST", "PROPFIND"]) {
        const answer = yield* ask({ method, path: "/api/realm/wx" })
        assert.deepEqual([answer.status, answer.headers.allow], [405, "DELETE, GET"], method)
      }
      assert.strictEqual((yield* ask({ path: "/api/realm/wx" })).status, 200)
    }).pipe(Effect.scoped))
})
