/**
 * The wire contract: for every kind of lane, each of the four requests with exactly its method, address, headers and body.
 */
import { Platform } from "@effect-identity/testing"
import { Config, TokenCache, WorkloadIdentity } from "@effect-identity/workload-identity"
import { NodeWorkloadIdentity } from "@effect-identity/workload-identity/node"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer, Redacted } from "effect"
import { readFileSync } from "node:fs"

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"))

const lanes: ReadonlyArray<readonly [lane: string | undefined, headers: Readonly<Record<string, string>>]> = [
  [undefined, {}],
  ["NONE", {}],
  ["boe_x", { "x-tt-env": "boe_x" }],
  ["ppe_x", { "x-tt-env": "ppe_x", "x-use-ppe": "1" }],
  ["custom", { "x-tt-env": "custom" }]
]

const form = (fields: Readonly<Record<string, string>>) => new URLSearchParams(fields).toString()

describe("on the wire", () => {
  for (const [lane, laneHeaders] of lanes) {
    it.effect(`the four requests in lane ${lane} are exactly these`, () =>
      Effect.gen(function*() {
        const platform = yield* Platform.Platform
        const env = lane === undefined ? platform.env : { ...platform.env, COZE_SERVER_ENV: lane }
        const context = yield* Layer.build(NodeWorkloadIdentity.layerNodeHttp.pipe(
          Layer.provide(TokenCache.layerLocal()),
          Layer.provide(Config.layer()),
          Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnvRecord(env)))
        ))
        const identity = yield* Effect.provide(WorkloadIdentity.WorkloadIdentity, Layer.succeedContext(context))
        const token = Redacted.value((yield* identity.accessToken).value)
        yield* identity.integrationCredential("mail")
        yield* identity.projectEnvVars

        const requests = yield* platform.requests
        const common = {
          accept: "application/json",
          "accept-encoding": "identity",
          connection: "keep-alive",
          host: new URL(platform.idTokenEndpoint).host,
          "user-agent": `coze-workload-identity/${version}`,
          ...laneHeaders
        }
        const step1 = form({
          client_id: "loopback-client",
          client_secret: "loopback-client-secret",
          grant_type: "client_credentials"
        })
        const step2 = form({
          client_id: "loopback-client",
          subject_token: requests[1]?.field("subject_token") ?? "",
          subject_token_type: "urn:ietf:params:oauth:token-type:id_token",
          grant_type: "urn:ietf:params:oauth:grant-type:token-exchange"
        })
        const integration = JSON.stringify({ integration_name: "mail" })
        const formHeaders = (body: string) => ({
          ...common,
          "content-type": "application/x-www-form-urlencoded",
          "content-length": String(body.length)
        })
        const signed = { ...common, "content-type": "application/json", authorization: `Bearer ${token}` }

        assert.deepStrictEqual(
          requests.map(({ body, headers, method, path }) => ({ method, path, headers, body })),
          [
            { method: "POST", path: "/.well-known/token", headers: formHeaders(step1), body: step1 },
            { method: "POST", path: "/.well-known/token", headers: formHeaders(step2), body: step2 },
            {
              method: "POST",
              path: "/api/v1/secret/integration",
              headers: { ...signed, "content-length": String(integration.length) },
              body: integration
            },
            { method: "GET", path: "/api/v1/secret/env", headers: signed, body: "" }
          ]
        )
      }).pipe(Effect.scoped, Effect.provide(Platform.layer({ credentials: { mail: "s3cret" } }))))
  }
})
