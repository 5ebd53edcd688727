import { Retry } from "@effect-identity/oauth"
/**
 * Every secret of a workload, looked for in everything a program shows when things go wrong: errors, their inspection and
 * JSON, log lines of every level, spans, diagnoses.
 */
import { Answer, ConnectProxy, Platform, SecretSweep } from "@effect-identity/testing"
import * as CertificateAuthority from "@effect-identity/testing/CertificateAuthority"
import { Config, TokenCache, WorkloadIdentity } from "@effect-identity/workload-identity"
import { NodeWorkloadIdentity, ProxyConfig, ProxyHttpClient } from "@effect-identity/workload-identity/node"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer, Schema } from "effect"
import { HttpClientRequest } from "effect/http"

const secrets = {
  clientSecret: "sweep-client-secret-/+&%ä-51d2",
  credential: "sweep-credential-{\"a\":1}-90ce",
  variable: "sweep-variable-value-77f1",
  ticket: "sweep-ticket a/b+c-31aa",
  bearer: "sweep-third-party-bearer-5e0b"
}

const shown = <A, E>(effect: Effect.Effect<A, E>) => Effect.map(SecretSweep.watch(effect), ({ shown }) => shown)

const echo = (text: string): ReadonlyArray<Answer.Answer> => [
  Answer.refusal(text, { status: 400, description: `no ${text}` }),
  Answer.json({ code: 4000, msg: `bad ${text}` }),
  Answer.json({ access_token: text, error: text }),
  Answer.body(text),
  Answer.body(`<p>${text}`, { contentType: "text/html" }),
  Answer.json([text]),
  Answer.json({ error_code: text, error_message: text }, { status: 500, headers: { "x-request-id": "1" } }),
  Answer.redirect(`http://127.0.0.1:1/?${encodeURIComponent(text)}`)
]

describe("the secret sweep", () => {
  it.live("finds nothing in whatever a workload shows", () =>
    Effect.gen(function*() {
      const platform = yield* Platform.Platform
      const context = yield* Layer.build(NodeWorkloadIdentity.layerNodeHttp.pipe(
        // Every answer is to be met, so nothing is waited out.
        Layer.provide(TokenCache.layerLocal({ coolDown: { minimum: 0, maximum: 0 }, refusalMemory: 0 })),
        Layer.provide(Config.layer()),
        Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnvRecord(platform.env)))
      ))
      const identity = yield* Effect.provide(WorkloadIdentity.WorkloadIdentity, Layer.succeedContext(context))
      const everything: Array<unknown> = []
      const run = <A, E>(effect: Effect.Effect<A, E>) =>
        Effect.map(shown(Retry.once(effect)), (what) => everything.push(what))

      for (const answer of echo(secrets.clientSecret)) {
        yield* platform.script("idToken", answer)
        yield* run(identity.accessToken)
      }
      for (const answer of echo("something that is no secret")) {
        yield* platform.script("accessToken", answer)
        yield* run(identity.accessToken)
      }
      yield* run(identity.accessToken)
      yield* run(identity.refreshedAccessToken)
      yield* run(identity.integrationCredential("mail"))
      yield* run(identity.integrationCredentialJson("mail", Schema.Struct({ a: Schema.String })))
      yield* run(identity.projectEnvVars)
      for (const text of [secrets.credential, secrets.variable]) {
        for (
          const answer of [
            Answer.json({ code: 0, data: text }),
            Answer.json({ code: 0, data: { credential: [text], secrets: text } })
          ]
        ) {
          yield* platform.script("integrationCredential", answer)
          yield* run(identity.integrationCredential("mail"))
          yield* platform.script("projectEnvVars", answer)
          yield* run(identity.projectEnvVars)
        }
      }
      yield* platform.revokeTokens
      yield* run(identity.projectEnvVars)
      everything.push(yield* identity.diagnose, identity)

      const requests = yield* platform.requests
      const tokens: Record<string, string> = {}
      for (const request of requests) {
        const bearer = request.headers["authorization"]?.slice("Bearer ".length)
        if (bearer !== undefined) tokens[`accessToken${request.id}`] = bearer
        const subject = request.field("subject_token")
        if (subject !== undefined) tokens[`idToken${request.id}`] = subject
      }
      assert.isAtLeast(Object.keys(tokens).length, 10)
      for (const what of everything) assert.deepStrictEqual(SecretSweep.find(what, { ...secrets, ...tokens }), [])
    }).pipe(
      Effect.scoped,
      Effect.provide(Platform.layer({
        clients: [{ clientId: "app", clientSecret: secrets.clientSecret }],
        credentials: { mail: secrets.credential },
        variables: [{ key: "VARIABLE", value: secrets.variable }]
      }))
    ))

  it.live("finds nothing in whatever a proxy brings about", () =>
    Effect.gen(function*() {
      const authority = yield* CertificateAuthority.make
      const { key } = yield* authority.issue(["localhost"])
      const proxy = yield* ConnectProxy.make({ credentials: { user: "space", password: secrets.ticket } })
      const env = { COZE_OUTBOUND_AUTH_PROXY: proxy.url, identity_ticket: secrets.ticket }
      const request = (variables: Readonly<Record<string, string>>) =>
        ProxyHttpClient.ProxyHttpClient.use((client) =>
          client.execute(
            HttpClientRequest.get("https://localhost:1/").pipe(HttpClientRequest.bearerToken(secrets.bearer))
          )
        ).pipe(
          Effect.provide(
            ProxyHttpClient.layer({ connectTimeout: 200 }).pipe(
              Layer.provideMerge(ProxyConfig.layer),
              Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnvRecord(variables)))
            )
          ),
          Effect.mapError((error) => error._tag === "HttpClientError" ? ProxyHttpClient.toError(error) : error)
        )
      const config = yield* ProxyConfig.make.pipe(
        Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnvRecord(env))
      )
      const everything: Array<unknown> = [config, ProxyHttpClient.makeAgents(config)]
      for (const behaviour of [407, 403, 502, "silence", "tunnel"] as const) {
        proxy.behave(behaviour)
        everything.push(yield* shown(request(env)))
      }
      everything.push(yield* shown(request({ ...env, identity_ticket: `${secrets.ticket}\nx` })))
      everything.push(yield* shown(request({ ...env, COZE_OUTBOUND_AUTH_PROXY: `http://u:${secrets.ticket}@[` })))
      everything.push(yield* shown(request({ ...env, COZE_OUTBOUND_AUTH_PROXY_CA: key })))
      const basic = Buffer.from(`space:${secrets.ticket}`).toString("base64")
      const keyText = key.split("\n")[1] ?? ""
      for (const what of everything) {
        assert.deepStrictEqual(SecretSweep.find(what, { ...secrets, basic, keyText }), [])
      }
    }).pipe(Effect.scoped))
})
