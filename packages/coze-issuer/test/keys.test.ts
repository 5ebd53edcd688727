import { CozeOAuth, SecretSweep } from "@effect-identity/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto"
import { as, ask, callers, entries, keys } from "./Entry.ts"

const layer = CozeOAuth.layer()

const linesOf = (text: string): Readonly<Record<string, string>> =>
  Object.fromEntries(text.split(/\r?\n/).filter((line) => line.length >= 20 && !line.includes("---")).entries())

const encrypted = (pem: string) =>
  createPrivateKey(pem).export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "secret" }).toString()

for (const entry of entries) {
  describe(`the key of the issuer, on ${entry.name}`, () => {
    for (
      const [form, convert] of [
        ["PKCS#8", (pem: string) => pem],
        ["PKCS#8 with escaped line breaks", (pem: string) => pem.replaceAll("\n", "\\n")],
        ["PKCS#8 with line breaks of Windows", (pem: string) => pem.replaceAll("\n", "\r\n")],
        ["PKCS#1", (pem: string) => createPrivateKey(pem).export({ type: "pkcs1", format: "pem" }).toString()],
        [
          "PKCS#1 with escaped line breaks",
          (pem: string) =>
            createPrivateKey(pem).export({ type: "pkcs1", format: "pem" }).toString().replaceAll("\n", "\\n")
        ]
      ] as const
    ) {
      it.live(`W4: may be in ${form}`, () =>
        Effect.gen(function*() {
          const { env, privateKey } = yield* CozeOAuth.CozeOAuth
          const { origin } = yield* Effect.orDie(
            entry.start({ ...env, ...callers, PRIVATE_KEY: convert(privateKey) })
          )
          assert.strictEqual((yield* ask(`${origin}/`, as(keys.any))).status, 200)
        }).pipe(Effect.provide(layer)))
    }

    for (
      const [what, convert, rule] of [
        ["missing", () => "", /PRIVATE_KEY is missing/],
        ["encrypted", encrypted, /PRIVATE_KEY is encrypted/],
        [
          "a public key",
          (pem: string) => createPublicKey(pem).export({ type: "spki", format: "pem" }).toString(),
          /PRIVATE_KEY is a public key/
        ],
        [
          "too short",
          () =>
            generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey
              .export({ type: "pkcs8", format: "pem" }).toString(),
          /PRIVATE_KEY must have at least 2048 bits/
        ],
        ["cut off", (pem: string) => pem.slice(0, 600), /PRIVATE_KEY is cut off/],
        [
          "an EC key",
          () =>
            generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey
              .export({ type: "pkcs8", format: "pem" }).toString(),
          /PRIVATE_KEY is an EC key/
        ],
        [
          "of zeros",
          (pem: string) => pem.replaceAll(/^[^-].{20}/gm, (line) => "A".repeat(line.length)),
          /PRIVATE_KEY is/
        ]
      ] as const
    ) {
      it.live(`W4: is told apart when it is ${what}, and not shown`, () =>
        Effect.gen(function*() {
          const { env, privateKey } = yield* CozeOAuth.CozeOAuth
          const key = convert(privateKey)
          const { output } = yield* Effect.flip(entry.start({ ...env, ...callers, PRIVATE_KEY: key }))
          assert.match(output, rule)
          if (entry.name === "workerd") assert.match(output, /^500 .*"code":"server_misconfigured"/)
          assert.deepStrictEqual(SecretSweep.find(output, linesOf(key)), [])
        }).pipe(Effect.provide(layer)))
    }
  })
}
