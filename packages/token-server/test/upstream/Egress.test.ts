import { SecureUrl } from "@effect-identity/oauth"
import * as CertificateAuthority from "@effect-identity/testing/CertificateAuthority"
import { Realm } from "@effect-identity/token-server"
import * as AddressRules from "@effect-identity/token-server/internal/upstream/AddressRules"
import * as Egress from "@effect-identity/token-server/internal/upstream/Egress"
import { Resolver } from "@effect-identity/token-server/internal/upstream/Resolver"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Predicate, Result } from "effect"
import * as fc from "fast-check"
import * as Https from "node:https"
import * as Canary from "./Canary.ts"

/** Every way of writing loopback, what is behind it, or what clouds keep there. */
const literals = [
  "127.0.0.1",
  "127.0.0.2",
  "127.255.255.254",
  "127.1",
  "127.0.1",
  "2130706433",
  "017700000001",
  "0x7f000001",
  "0x7f.0x0.0x0.0x1",
  "0177.0.0.1",
  "0177.0.0.01",
  "0x7f.1",
  "127.0x0.0.1",
  "１２７.0.0.1",
  "①②⑦.0.0.1",
  "127。0。0。1",
  "127．0．0．1",
  "0",
  "0.0.0.0",
  "0x0",
  "00",
  "0.1.2.3",
  "10.0.0.1",
  "10.255.255.255",
  "0xa.0.0.1",
  "012.1.2.3",
  "167772161",
  "172.16.0.1",
  "172.31.255.255",
  "192.168.0.1",
  "3232235521",
  "100.64.0.1",
  "100.127.255.255",
  "169.254.0.1",
  "169.254.169.254",
  "169.254.170.2",
  "2852039166",
  "0xa9fea9fe",
  "0251.0376.0251.0376",
  "100.100.100.200",
  "192.0.0.192",
  "168.63.129.16",
  "192.0.2.1",
  "198.18.0.1",
  "198.51.100.1",
  "203.0.113.1",
  "224.0.0.1",
  "240.0.0.1",
  "255.255.255.255",
  "[::]",
  "[::1]",
  "[0:0:0:0:0:0:0:1]",
  "[0000:0000:0000:0000:0000:0000:0000:0001]",
  "[::ffff:127.0.0.1]",
  "[::ffff:7f00:1]",
  "[0:0:0:0:0:ffff:127.0.0.1]",
  "[::ffff:169.254.169.254]",
  "[::127.0.0.1]",
  "[::ffff:0:127.0.0.1]",
  "[64:ff9b::127.0.0.1]",
  "[64:ff9b::a9fe:a9fe]",
  "[64:ff9b:1::7f00:1]",
  "[2002:7f00:1::]",
  "[2002:a9fe:a9fe::1]",
  "[2001:0:4136:e378:8000:63bf:80ff:fffe]",
  "[2001:db8::1]",
  "[fc00::1]",
  "[fd00::1]",
  "[fd00:ec2::254]",
  "[fd20:ce::254]",
  "[fe80::1]",
  "[fe80::a9fe:a9fe]",
  "[fec0::1]",
  "[ff02::1]",
  "[100::1]",
  "[5f00::1]"
]

/** Names that resolve to it, one way or the other. */
const names = ["localhost", "localhost.", "LOCALHOST", "api.localhost", "ip6-localhost", "internal.example"]

const resolverOf = (answer: (hostname: string) => ReadonlyArray<string>) =>
  Layer.succeed(Resolver, { resolve: (hostname) => Effect.sync(() => answer(hostname)) })

const loopbackResolver = resolverOf((hostname) => hostname.startsWith("ip6") ? ["::1"] : ["127.0.0.1"])

const urlOf = (text: string) => Result.getOrThrow(SecureUrl.parse(text))

const connect = (text: string, ...openings: ReadonlyArray<string>) =>
  Effect.scoped(
    Egress.Egress.use(({ connect }) =>
      connect(urlOf(text), openings.map(AddressRules.parseOpening).filter(Predicate.isNotUndefined))
    )
  ).pipe(Effect.flip, Effect.catch(() => Effect.succeed("connected" as const)))

const detailOf = (outcome: Effect.Success<ReturnType<typeof connect>>) =>
  outcome === "connected" ? outcome : "detail" in outcome ? outcome.detail : outcome._tag

describe("Egress", () => {
  it.live(`refuses ${literals.length} notations of what is not public, and ${names.length} names for it`, () =>
    Effect.gen(function*() {
      const canary = yield* Canary.make()
      for (const host of [...literals, ...names]) {
        const url = `https://${host}:${canary.port}/token`
        const saved = Realm.decode({ id: "corp", config: { url, token_path: "token", expires_in: 60 } })
        if (!host.includes("internal.example") && !host.startsWith("ip6")) {
          assert.isTrue(Result.isFailure(saved), `${host} was saved`)
        }
        assert.strictEqual(detailOf(yield* connect(url)), "egress", host)
      }
      assert.deepStrictEqual([canary.connections(), canary.bytes()], [0, 0])
    }).pipe(Effect.provide(Layer.provide(Egress.layer(), loopbackResolver))))

  it.live("connects to what a realm opens, and to nothing beside it", () =>
    Effect.gen(function*() {
      const canary = yield* Canary.make()
      const other = yield* Canary.make()
      const url = `http://127.0.0.1:${canary.port}/token`
      assert.strictEqual(detailOf(yield* connect(url, `127.0.0.1:${canary.port}`)), "connected")
      assert.strictEqual(detailOf(yield* connect(url, "127.0.0.0/8")), "connected")
      assert.strictEqual(detailOf(yield* connect(url, `127.0.0.2:${canary.port}`, "10.0.0.0/8")), "egress")
      assert.strictEqual(
        detailOf(yield* connect(`http://127.0.0.1:${other.port}/`, `127.0.0.1:${canary.port}`)),
        "egress"
      )
      const byName = `http://localhost:${canary.port}/token`
      assert.strictEqual(detailOf(yield* connect(byName, `localhost:${canary.port}`)), "connected")
      assert.strictEqual(detailOf(yield* connect(byName, `elsewhere:${canary.port}`)), "egress")
      assert.deepStrictEqual([canary.connections(), other.connections()], [3, 0])
      assert.strictEqual(canary.bytes(), 0)
    }).pipe(Effect.provide(Layer.provide(Egress.layer(), loopbackResolver))))

  it.live("connects to the very addresses it has judged: a name that turns afterwards leads nowhere", () =>
    Effect.gen(function*() {
      const canary = yield* Canary.make(undefined, "127.0.0.1")
      const opened = yield* Canary.make(undefined, "127.0.0.2")
      let asked = 0
      // The answer holds for no time at all: whoever asks twice is sent elsewhere.
      const turning = resolverOf(() => asked++ % 2 === 0 ? ["127.0.0.2"] : ["127.0.0.1"])
      const url = `https://issuer.example:${opened.port}/token`
      const [first, second] = yield* Effect.all([
        connect(url.replace("https:", "http:").replace("issuer.example", "localhost"), "127.0.0.2"),
        connect(url, "127.0.0.2")
      ]).pipe(Effect.provide(Layer.provide(Egress.layer(), turning)))
      assert.deepStrictEqual([detailOf(first), detailOf(second)], ["connected", "egress"])
      assert.deepStrictEqual([asked, opened.connections(), canary.connections()], [2, 1, 0])
    }))

  it.live("connects to none of the addresses of a name when one is not allowed", () =>
    Effect.gen(function*() {
      const canary = yield* Canary.make()
      const mixed = resolverOf(() => ["127.0.0.2", "127.0.0.1"])
      const outcome = yield* connect(`https://issuer.example:${canary.port}/`, "127.0.0.2").pipe(
        Effect.provide(Layer.provide(Egress.layer(), mixed))
      )
      assert.strictEqual(detailOf(outcome), "egress")
      assert.deepStrictEqual([canary.connections(), canary.bytes()], [0, 0])
    }))

  it.live("looks at the address it is connected to, before it sends anything there", () =>
    Effect.gen(function*() {
      const canary = yield* Canary.make()
      // Linux takes this for itself.
      const outcome = yield* connect(`https://0.0.0.0:${canary.port}/`, "0.0.0.0")
      assert.strictEqual(detailOf(outcome), "egress")
      assert.strictEqual(canary.bytes(), 0)
    }).pipe(Effect.provide(Egress.layer())))

  it.live("trusts nobody who cannot prove to be the host that is asked for", () =>
    Effect.gen(function*() {
      const authority = yield* CertificateAuthority.make
      const { cert, key } = yield* authority.issue(["issuer.example"])
      const server = yield* Effect.acquireRelease(
        Effect.sync(() => Https.createServer({ cert, key }).listen(0, "127.0.0.1")),
        (server) =>
          Effect.sync(() => {
            server.closeAllConnections()
            server.close()
          })
      )
      yield* Effect.callback<void>((resume) => {
        if (server.listening) resume(Effect.void)
        else server.once("listening", () => resume(Effect.void))
      })
      const address = server.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      const over = (options: Egress.Options) => Effect.provide(Layer.provide(Egress.layer(options), loopbackResolver))
      const trusted = { authorities: authority.cert }
      assert.strictEqual(
        detailOf(yield* over(trusted)(connect(`https://issuer.example:${port}/`, "127.0.0.1"))),
        "connected"
      )
      assert.strictEqual(
        detailOf(yield* over(trusted)(connect(`https://other.example:${port}/`, "127.0.0.1"))),
        "hostname"
      )
      assert.strictEqual(
        detailOf(yield* over({})(connect(`https://issuer.example:${port}/`, "127.0.0.1"))),
        "untrusted"
      )
    }))
})

describe("AddressRules", () => {
  it("knows public addresses, in IPv6 too", () => {
    for (
      const address of [
        "8.8.8.8",
        "101.226.0.1",
        "2606:4700::1111",
        "2400:3200::1",
        "64:ff9b::808:808",
        "::ffff:8.8.8.8"
      ]
    ) {
      assert.strictEqual(AddressRules.judge(address), "public", address)
    }
    assert.strictEqual(AddressRules.judge("nonsense"), "private")
  })

  it("judges an IPv4 address alike in every cover, and never throws", () => {
    fc.assert(fc.property(fc.ipV4(), (address) => {
      const verdict = AddressRules.judge(address)
      assert.strictEqual(AddressRules.judge(`::ffff:${address}`), verdict)
      assert.strictEqual(AddressRules.judge(`64:ff9b::${address}`), verdict)
      assert.notStrictEqual(AddressRules.judge(`::${address}`), "public")
    }))
    fc.assert(fc.property(fc.oneof(fc.string(), fc.ipV6(), fc.ipV4Extended()), (text) => {
      AddressRules.judge(text)
      AddressRules.parseOpening(text)
      AddressRules.opensNothing(text)
    }))
  })
})
