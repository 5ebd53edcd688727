// A test author's program against the packed loopback platform.
import { Platform, SecretSweep } from "@effect-identity/testing"
import * as CertificateAuthority from "@effect-identity/testing/CertificateAuthority"
import { Effect } from "effect"
import assert from "node:assert/strict"

const program = Effect.gen(function*() {
  const platform = yield* Platform.Platform
  const body = new URLSearchParams({
    client_id: platform.env.COZE_WORKLOAD_IDENTITY_CLIENT_ID,
    client_secret: platform.env.COZE_WORKLOAD_IDENTITY_CLIENT_SECRET,
    grant_type: "client_credentials"
  })
  const response = yield* Effect.promise(() => fetch(platform.idTokenEndpoint, { method: "POST", body }))
  assert.equal(response.status, 200)
  assert.equal((yield* platform.requests)[0].step, "idToken")
  assert.match((yield* CertificateAuthority.make).cert, /BEGIN CERTIFICATE/)
  assert.notDeepEqual(SecretSweep.find("hunter2-hunter2", { password: "hunter2-hunter2" }), [])
})

await Effect.runPromise(Effect.provide(program, Platform.layer()))
