import { SecretSweep } from "@effect-identity/testing"
import { Settings } from "@effect-identity/token-server"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Redacted } from "effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

type Env = Readonly<Record<string, string>>

const read = (env: Env) =>
  Settings.read.pipe(Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromUnknown(env)))

const keys = `k2:${Buffer.alloc(32, 7).toString("base64")},k1:${Buffer.alloc(32, 9).toString("base64")}`

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "settings-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
)

describe("Settings", () => {
  it.effect("need nothing: SQLite on this machine", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* read({}), {
        host: "127.0.0.1",
        port: 8787,
        storage: { _tag: "SQLite", folder: "token-server-data" },
        masterKeys: undefined
      })
    }))

  it.effect("take PostgreSQL with its password redacted, and keys from a variable", () =>
    Effect.gen(function*() {
      const url = "postgres://server:the-database-password@db.example/tokens"
      const settings = yield* read({ TOKEN_SERVER_DATABASE_URL: url, TOKEN_SERVER_MASTER_KEYS: keys })
      assert.strictEqual(settings.storage._tag === "PostgreSQL" && Redacted.value(settings.storage.url), url)
      assert.deepStrictEqual(
        SecretSweep.find(`${JSON.stringify(settings)}`, { password: "the-database-password", keys }),
        []
      )
    }))

  it.effect("take keys from a file, with line breaks between", () =>
    Effect.gen(function*() {
      const file = join(yield* folder, "keys")
      writeFileSync(file, `${keys.replace(",", "\n")}\n`)
      const { masterKeys } = yield* read({ TOKEN_SERVER_MASTER_KEYS_FILE: file })
      assert.isDefined(masterKeys)
    }))

  it.effect("name everything that is wrong at once, and quote nothing", () =>
    Effect.gen(function*() {
      const env = {
        TOKEN_SERVER_HOST: "not a host",
        TOKEN_SERVER_PORT: "99999",
        TOKEN_SERVER_DATABASE_URL: "mysql://root:a-password-of-mysql@db/tokens",
        TOKEN_SERVER_MASTER_KEYS: "k1:c2hvcnQta2V5LXRoYXQtaXMtd3Jvbmc=",
        OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4317",
        OTEL_METRIC_EXPORT_INTERVAL: "often",
        OTEL_EXPORTER_OTLP_HEADERS: "a header that says nothing"
      }
      const error = yield* Effect.flip(read(env))
      assert.deepStrictEqual(error.issues.map(({ name }) => name), Object.keys(env))
      assert.deepStrictEqual(SecretSweep.find(`${error.message} ${JSON.stringify(error)}`, env), [])
    }))

  it.effect("let nobody guess which of two is meant, or where the keys are", () =>
    Effect.gen(function*() {
      const url = "postgres://db.example/tokens"
      const issues = (env: Env) => Effect.map(Effect.flip(read(env)), ({ message }) => message)
      assert.include(yield* issues({ TOKEN_SERVER_DATABASE_URL: url }), "TOKEN_SERVER_MASTER_KEYS is missing")
      assert.include(
        yield* issues({ TOKEN_SERVER_MASTER_KEYS: keys, TOKEN_SERVER_MASTER_KEYS_FILE: "/somewhere" }),
        "TOKEN_SERVER_MASTER_KEYS_FILE must not be set with TOKEN_SERVER_MASTER_KEYS"
      )
      assert.include(
        yield* issues({ TOKEN_SERVER_DATA: "here", TOKEN_SERVER_DATABASE_URL: url, TOKEN_SERVER_MASTER_KEYS: keys }),
        "TOKEN_SERVER_DATA must not be set with TOKEN_SERVER_DATABASE_URL"
      )
      for (const file of ["/nowhere/at/all", tmpdir(), "/dev/zero"]) {
        assert.include(
          yield* issues({ TOKEN_SERVER_MASTER_KEYS_FILE: file }),
          "TOKEN_SERVER_MASTER_KEYS_FILE is not a file that can be read"
        )
      }
    }))

  it.effect("refuse keys of a wrong length, twice the same id, and no key at all", () =>
    Effect.gen(function*() {
      const key = Buffer.alloc(32, 1).toString("base64")
      const wrong = [
        `k1:${Buffer.alloc(16).toString("base64")}`,
        `k1:${Buffer.alloc(33).toString("base64")}`,
        `k1:${key},k1:${key}`,
        key,
        `:${key}`,
        " , "
      ]
      for (const TOKEN_SERVER_MASTER_KEYS of wrong) {
        const { issues } = yield* Effect.flip(read({ TOKEN_SERVER_MASTER_KEYS }))
        assert.deepStrictEqual(issues.map(({ name }) => name), ["TOKEN_SERVER_MASTER_KEYS"])
      }
    }))
})
