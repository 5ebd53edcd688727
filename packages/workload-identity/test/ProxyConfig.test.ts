import { SecretSweep } from "@effect-identity/testing"
import * as CertificateAuthority from "@effect-identity/testing/CertificateAuthority"
import { WorkloadIdentityError } from "@effect-identity/workload-identity"
import { ProxyConfig } from "@effect-identity/workload-identity/node"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Logger, Redacted } from "effect"
import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const read = (env: Readonly<Record<string, string>>) =>
  ProxyConfig.make.pipe(
    Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnvRecord(env)),
    Effect.provide(Logger.layer([]))
  )

const url = (env: Readonly<Record<string, string>>) =>
  Effect.map(read(env), ({ proxy }) => proxy === undefined ? undefined : Redacted.value(proxy.url))

const issues = (env: Readonly<Record<string, string>>) =>
  Effect.map(Effect.flip(read(env)), (error) => {
    assert.instanceOf(error, WorkloadIdentityError.ConfigurationError)
    assert.deepStrictEqual(SecretSweep.find(error, { secret: "s3cret-1f7c99" }), [])
    return error.issues
  })

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "ca-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

const ca = "COZE_OUTBOUND_AUTH_PROXY_CA"
const caPath = "COZE_OUTBOUND_AUTH_PROXY_CA_PATH"

describe("ProxyConfig", () => {
  it.effect("knows no proxy and no certificates when none are set", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* read({}), { proxy: undefined, ca: undefined })
      assert.deepStrictEqual(yield* read({ COZE_OUTBOUND_AUTH_PROXY: " ", identity_ticket: "x" }), {
        proxy: undefined,
        ca: undefined
      })
    }))

  for (
    const [proxy, ticket, expected] of [
      ["http://proxy.example:3128", "abc", "http://space:abc@proxy.example:3128/"],
      ["http://proxy.example", "a b", "http://space:a%20b@proxy.example/"],
      ["https://proxy.example/path?q=1", "@/:%+é\n", "https://space:%40%2F%3A%25%2B%C3%A9@proxy.example/path?q=1"],
      ["http://user:old@proxy.example:1", "new", "http://space:new@proxy.example:1/"],
      ["http://[::1]:3128", "abc", "http://space:abc@[::1]:3128/"]
    ] as const
  ) {
    it.effect(`makes ${expected}`, () =>
      Effect.gen(function*() {
        assert.strictEqual(yield* url({ COZE_OUTBOUND_AUTH_PROXY: proxy, identity_ticket: ticket }), expected)
      }))
  }

  for (
    const [what, env, name] of [
      ["a proxy without a ticket", { COZE_OUTBOUND_AUTH_PROXY: "http://proxy.example" }, "identity_ticket"],
      [
        "a ticket with a line break",
        { COZE_OUTBOUND_AUTH_PROXY: "http://p", identity_ticket: "s3cret-1f7c99\nx" },
        "identity_ticket"
      ],
      [
        "a proxy without a scheme",
        { COZE_OUTBOUND_AUTH_PROXY: "s3cret-1f7c99.example:3128" },
        "COZE_OUTBOUND_AUTH_PROXY"
      ],
      ["a socks proxy", { COZE_OUTBOUND_AUTH_PROXY: "socks5://s3cret-1f7c99@proxy" }, "COZE_OUTBOUND_AUTH_PROXY"],
      [
        "a proxy that is no URL",
        { COZE_OUTBOUND_AUTH_PROXY: "http://user:s3cret-1f7c99@[" },
        "COZE_OUTBOUND_AUTH_PROXY"
      ]
    ] as const
  ) {
    it.effect(`refuses ${what}, by name`, () =>
      Effect.gen(function*() {
        assert.deepStrictEqual((yield* issues({ ...env })).map((issue) => issue.name), [name])
      }))
  }

  it.effect("judges proxy and certificates apart", () =>
    Effect.gen(function*() {
      const diagnosed = (env: Readonly<Record<string, string>>) =>
        Effect.map(
          Effect.provideService(ProxyConfig.diagnose, ConfigProvider.ConfigProvider, ConfigProvider.fromEnvRecord(env)),
          ({ ca, proxy }) => [proxy, ca]
        )
      const proxy = { COZE_OUTBOUND_AUTH_PROXY: "http://proxy.example", identity_ticket: "s3cret-1f7c99" }
      assert.deepStrictEqual(yield* diagnosed({}), ["none", "default"])
      assert.deepStrictEqual(yield* diagnosed(proxy), ["configured", "default"])
      assert.deepStrictEqual(yield* diagnosed({ ...proxy, [ca]: "garbage" }), ["configured", "invalid"])
      assert.deepStrictEqual(yield* diagnosed({ ...proxy, identity_ticket: "" }), ["invalid", "default"])
    }))

  describe("certificates", () => {
    const makePem = Effect.gen(function*() {
      const authority = yield* CertificateAuthority.make
      const other = yield* CertificateAuthority.make
      const old = yield* authority.issue(["old"], { validFrom: -10, validTo: -5 })
      return { cert: authority.cert, other: other.cert, outdated: old.cert, key: old.key }
    })

    it.live("F15: takes a bundle with comments, any line endings and an expired one, which it leaves out", () =>
      Effect.gen(function*() {
        const { cert, other, outdated } = yield* makePem
        const bundle = `# one\r\n${cert.replaceAll("\n", "\r\n")}\r\n# old\r\n${outdated}\n\n${other}`
        const { ca: found } = yield* read({ [ca]: bundle })
        assert.lengthOf(found?.certificates ?? [], 2)
        assert.deepStrictEqual(found?.outdated, [2])
      }))

    it.live("takes text whose line breaks are escaped", () =>
      Effect.gen(function*() {
        const { cert } = yield* makePem
        assert.lengthOf((yield* read({ [ca]: cert.trim().replaceAll("\n", "\\n") })).ca?.certificates ?? [], 1)
      }))

    it.live("F17: takes the text when there is a path too", () =>
      Effect.gen(function*() {
        const { cert } = yield* makePem
        const { ca: found } = yield* read({ [ca]: cert, [caPath]: "/nowhere" })
        assert.isUndefined(found?.path)
      }))

    it.live("F14: refuses what is no certificate, by name and position", () =>
      Effect.gen(function*() {
        const { cert, key, outdated } = yield* makePem
        const garbage = cert.replace(/\n.{20}/, "\nAAAAAAAAAAAAAAAAAAAA")
        for (
          const [text, rule] of [
            ["s3cret-1f7c99", "must contain at least one certificate in PEM"],
            [cert.slice(0, 100), "has a certificate that does not end (of 1)"],
            [`${cert}\n${garbage}`, "has a certificate that cannot be read (number 2)"],
            [`${cert}\n${key}`, "must not contain a private key"],
            [outdated, "has no certificate that is valid at this time"]
          ] as const
        ) {
          assert.deepStrictEqual(yield* issues({ [ca]: text }), [{ name: ca, rule }])
        }
      }))

    it.live("F16: refuses paths of anything but a readable file of certificates, at once", () =>
      Effect.gen(function*() {
        const { cert } = yield* makePem
        const dir = yield* folder
        const path = (name: string) => join(dir, name)
        writeFileSync(path("good.pem"), cert)
        assert.strictEqual((yield* read({ [caPath]: path("good.pem") })).ca?.path, path("good.pem"))

        execFileSync("mkfifo", [path("fifo")])
        symlinkSync(path("nowhere"), path("dangling"))
        writeFileSync(path("huge"), "")
        truncateSync(path("huge"), 2 ** 30)
        writeFileSync(path("der"), Buffer.from(cert.replaceAll(/-----.*-----/g, ""), "base64"))
        for (
          const [name, rule] of [
            ["missing", "must be the path of a file that can be read"],
            ["dangling", "must be the path of a file that can be read"],
            [".", "must be the path of a regular file"],
            ["fifo", "must be the path of a regular file"],
            ["huge", "must be a file of at most 4194304 bytes"],
            ["der", "must contain at least one certificate in PEM"]
          ] as const
        ) {
          assert.deepStrictEqual(yield* issues({ [caPath]: path(name) }), [{ name: caPath, rule }])
        }
        assert.deepStrictEqual(yield* issues({ [caPath]: "/dev/zero" }), [
          { name: caPath, rule: "must be the path of a regular file" }
        ])
      }).pipe(Effect.scoped))
  })
})
