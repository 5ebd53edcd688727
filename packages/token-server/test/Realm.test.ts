import { Presets, Realm } from "@effect-identity/token-server"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Result } from "effect"
import * as fc from "fast-check"

const seedConfig = {
  url: "https://qyapi.weixin.qq.com/cgi-bin/gettoken",
  method: "GET",
  arguments: [
    { name: "corpid", place: "url", value: "$key_1" },
    { name: "corpsecret", place: "url", value: "$key_2" }
  ],
  token_path: "access_token",
  content_type: "json",
  expires_in_path: "expires_in"
}

const decode = (config: unknown) => Realm.decode({ id: "corp", config })

const issuesOf = (config: unknown) =>
  Result.match(decode(config), {
    onSuccess: () => [],
    onFailure: (issues) => issues.map(({ name, rule }) => `${name} ${rule}`)
  })

const namesOf = (config: unknown) =>
  Result.match(decode(config), { onSuccess: () => [], onFailure: (issues) => issues.map(({ name }) => name) })

const withArgument = (argument: object) => ({ ...seedConfig, arguments: [argument] })

describe("decode", () => {
  it("takes a config of the token server it comes after as it is", () => {
    const realm = Result.getOrThrow(Realm.decode({ id: "qywx_qynbkf", config: seedConfig }))
    assert.deepStrictEqual(realm.keys, ["key_1", "key_2"])
    assert.strictEqual(realm.comment, "")
    assert.strictEqual(Duration.toMillis(realm.timeout), 10_000)
    assert.isUndefined(realm.overlap)
  })

  it("lists everything that is wrong, by name", () => {
    const input: unknown = JSON.parse(
      `{"id": "a b", "__proto__": {}, "config": {"url": 1, "surprise": true, "timeout_ms": 1, "arguments": [{"name": "a"}]}}`
    )
    const issues = Result.getOrThrow(Result.flip(Realm.decode(input)))
    assert.sameMembers(issues.map(({ name, rule }) => `${name} ${rule}`), [
      "__proto__ is not known",
      "id must be 1 to 50 letters, digits, dots, dashes and underscores, the first a letter or digit",
      "config.surprise is not known",
      "config.url must be string",
      "config.timeout_ms must be a whole number from 100 to 60000",
      "config.arguments[0].place is missing",
      "config.arguments[0].value is missing"
    ])
    assert.sameMembers(issuesOf({ timeout_ms: 200 }), [
      "config.url is missing",
      "config.token_path is missing",
      "config.expires_in_path is missing, and expires_in too"
    ])
  })

  it.each([
    "http://issuer.example/token",
    "http://10.0.0.1/token",
    "https://user:password@issuer.example/token",
    "https://issuer.example/token#part",
    "ftp://issuer.example/token",
    "/token",
    "https://issuer.example/to\nken",
    " https://issuer.example/token",
    "https://localhost/token",
    "https://localhost./token",
    "https://api.localhost/token",
    "http://localhost:8080/token",
    "https://issuer.example./token",
    "https://metadata.google.internal/",
    "https://0/token",
    "https://127.1/token",
    "https://2130706433/token",
    "https://0x7f000001/token",
    "https://0177.0.0.1/token",
    "https://１２７.0.0.1/token",
    "https://①②⑦.0.0.1/token",
    "https://10.1.2.3/token",
    "https://169.254.169.254/token",
    "https://[::1]/token",
    "https://[::ffff:127.0.0.1]/token",
    "https://[64:ff9b::7f00:1]/token",
    "https://[2002:7f00:1::]/token"
  ])("refuses the address %s", (url) => {
    assert.deepStrictEqual(namesOf({ ...seedConfig, url }), ["config.url"])
  })

  it("opens loopback and private addresses where it is told to, and metadata services never", () => {
    const opened = (url: string, private_addresses: ReadonlyArray<string>) =>
      namesOf({ ...seedConfig, url, private_addresses })
    assert.deepStrictEqual(opened("http://127.0.0.1:8080/token", ["127.0.0.1:8080"]), [])
    assert.deepStrictEqual(opened("http://127.0.0.1:8081/token", ["127.0.0.1:8080"]), ["config.url"])
    assert.deepStrictEqual(opened("http://localhost:8080/token", ["localhost:8080"]), [])
    assert.deepStrictEqual(opened("http://[::1]:8080/token", ["[::1]:8080"]), [])
    assert.deepStrictEqual(opened("https://10.1.2.3/token", ["10.0.0.0/8"]), [])
    assert.deepStrictEqual(opened("https://11.1.2.3/token", ["10.0.0.0/8"]), [])
    assert.deepStrictEqual(opened("https://169.254.169.254/", ["0.0.0.0/0"]), ["config.url"])
    assert.deepStrictEqual(opened("https://issuer.example/", ["169.254.169.254", "fd00:ec2::254", "nonsense", "a/8"]), [
      "config.private_addresses[0]",
      "config.private_addresses[1]",
      "config.private_addresses[2]",
      "config.private_addresses[3]"
    ])
  })

  it("holds addresses to the hosts that are allowed", () => {
    const allowed = (...allowed_hosts: ReadonlyArray<string>) => namesOf({ ...seedConfig, allowed_hosts })
    assert.deepStrictEqual(allowed("qyapi.weixin.qq.com"), [])
    assert.deepStrictEqual(allowed("*.qq.com"), [])
    assert.deepStrictEqual(allowed("qq.com"), ["config.url"])
    assert.deepStrictEqual(allowed("*.eixin.qq.com"), ["config.url"])
    assert.deepStrictEqual(allowed("qyapi.weixin.qq.com/x"), ["config.allowed_hosts[0]", "config.url"])
  })

  it.each([
    "Host",
    "transfer-encoding",
    "Content-Length",
    "Metadata-Flavor",
    "Connection",
    "Keep-Alive",
    "Proxy-Authorization",
    "TE",
    "Trailer",
    "Upgrade",
    "X-aws-ec2-metadata-token",
    "a b",
    "a\r\nb",
    "__proto__"
  ])("refuses the header %j", (name) => {
    assert.deepStrictEqual(namesOf(withArgument({ name, place: "header", value: "1" })), ["config.arguments[0].name"])
  })

  it.each(["$token", "$constructor", "$x", "$key_0", "$key_9", "$key_10", "$", "$__proto__", "$created_at"])(
    "refuses the reference %s",
    (value) => {
      assert.deepStrictEqual(namesOf(withArgument({ name: "a", place: "url", value })), ["config.arguments[0].value"])
    }
  )

  it("refuses line breaks in what is sent, and names of prototypes in arguments and paths", () => {
    assert.deepStrictEqual(namesOf(withArgument({ name: "a", place: "header", value: "a\r\nb: c" })), [
      "config.arguments[0].value"
    ])
    for (const name of ["__proto__", "constructor", "prototype"]) {
      assert.deepStrictEqual(namesOf(withArgument({ name, place: "body", value: "1" })), ["config.arguments[0].name"])
    }
    for (const token_path of ["__proto__", "a.constructor.name", "a..b", ".a"]) {
      assert.deepStrictEqual(namesOf({ ...seedConfig, token_path }), ["config.token_path"])
    }
  })

  it("wants secrets to be secrets", () => {
    const client_authentication = { method: "client_secret_basic", client_id: "app", client_secret: "in-the-clear" }
    assert.deepStrictEqual(namesOf({ ...seedConfig, client_authentication }), [
      "config.client_authentication.client_secret"
    ])
  })

  it("wants the token before to outlive the lease and the deadline of whoever comes next", () => {
    const overlapping = (overlap_ms: number) => namesOf({ ...seedConfig, timeout_ms: 2000, overlap_ms })
    assert.deepStrictEqual(overlapping(5001), [])
    assert.deepStrictEqual(overlapping(5000), ["config.overlap_ms"])
    assert.deepStrictEqual(overlapping(0), ["config.overlap_ms"])
  })

  it("fills in presets, and lets what is given go before them", () => {
    for (const preset of ["wecom", "wechat", "wechat_stable", "coze_jwt", "github_app", "fixed"] as const) {
      const realm = Result.getOrThrow(decode({ preset }))
      assert.deepStrictEqual(realm.keys, Object.keys(Presets.presets[preset].keys), preset)
    }
    const url = "https://issuer.example/oauth2/token"
    for (const preset of ["client_credentials", "coze_workload"] as const) {
      assert.deepStrictEqual(Result.getOrThrow(decode({ preset, url, expires_in: 60 })).keys, ["key_1", "key_2"])
    }
    const { source } = Result.getOrThrow(decode({
      preset: "coze_jwt",
      arguments: [{ name: "duration_seconds", place: "body", value: 3600 }]
    }))
    assert(source._tag === "Request")
    assert.deepStrictEqual(source.arguments.map(({ name, value }) => ({ name, value })), [
      { name: "grant_type", value: { literal: "urn:ietf:params:oauth:grant-type:jwt-bearer" } },
      { name: "duration_seconds", value: { literal: 3600 } }
    ])
  })

  it("never throws, and quotes nothing of what it was given", () => {
    const canary = "c4nary-c4nary-c4nary"
    const anything = fc.oneof(
      fc.anything(),
      fc.constant(canary),
      fc.constant(`https://${canary}@169.254.169.254/${canary}`),
      fc.constant({ name: canary, place: canary, value: `$${canary}` })
    )
    const config = fc.dictionary(
      fc.constantFrom(...Object.keys(seedConfig), "preset", "overlap_ms", "errors"),
      anything
    )
    fc.assert(
      fc.property(fc.oneof(anything, fc.record({ id: anything, config })), (input) => {
        const decoded = Realm.decode(input)
        if (Result.isFailure(decoded)) {
          assert.isNotEmpty(decoded.failure)
          assert.notInclude(JSON.stringify(decoded.failure), canary)
        }
      }),
      { numRuns: 1000 }
    )
  })
})
