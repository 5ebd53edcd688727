/**
 * `token-server master-key`: a new key, and rows sealed anew with it.
 */
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Settings from "../../Settings.ts"
import * as MasterKeys from "../operation/MasterKeys.ts"
import { SecretStore } from "../store/SecretStore.ts"
import { withStores } from "./Stores.ts"

const rotate = Command.make("rotate", {}, () =>
  Effect.gen(function*() {
    const { masterKeys, storage } = yield* Settings.read
    if (masterKeys === undefined && storage._tag === "SQLite") {
      yield* MasterKeys.rotate(storage.folder)
      return yield* Console.error("restart the server, then run: token-server master-key reseal")
    }
    const made = yield* MasterKeys.generate
    yield* Console.log(Redacted.value(made).trim())
    yield* Console.error(
      "put it behind the other master keys and restart the servers, then before them and restart again"
    )
  }).pipe(
    Effect.tapError(({ message }) => Console.error(`token-server: ${message}`)),
    Effect.provide(SecureRandom.layerWebCrypto)
  )).pipe(Command.withDescription("Make a new master key: in the file of the data folder, or printed"))

const rowsAtOnce = 100

const reseal = Command.make("reseal", {}, () =>
  Effect.gen(function*() {
    const store = yield* SecretStore
    let count = 0
    for (;;) {
      const done = yield* store.reseal(rowsAtOnce)
      count += done
      if (done === 0) break
    }
    yield* Console.log(`${count} rows sealed anew`)
  }).pipe(withStores)).pipe(
    Command.withDescription("Seal everything with the first master key; servers that know it may run meanwhile")
  )

export const masterKey = Command.make("master-key").pipe(
  Command.withDescription("Master keys"),
  Command.withSubcommands([rotate, reseal])
)
