/**
 * Writes and removes secrets, and shows what they are told from each other by.
 */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { Api } from "../../Api.ts"
import { Caller } from "../api/Access.ts"
import { type SavedSecret, valueNames } from "../api/Secrets.ts"
import { Invalid } from "../Failure.ts"
import { type SecretRow, SecretStore } from "../store/SecretStore.ts"
import { Tokens } from "../tokens/Tokens.ts"
import { needRealm } from "./Authorization.ts"
import { Changes } from "./Changes.ts"
import { envelope, moment, paging } from "./Listing.ts"
import { failing } from "./Problems.ts"

const show = ({ createdAt, fingerprints, generation, key, realm, rotatedAt }: SecretRow) => ({
  realm,
  key,
  generation,
  fingerprints,
  created_at: moment(createdAt),
  rotated_at: moment(rotatedAt)
})

const valuesOf = (given: typeof SavedSecret.Type) =>
  new Map(valueNames.flatMap((name) => {
    const value = given[name]
    return value === undefined ? [] : [[name, value] as const]
  }))

export const layer = HttpApiBuilder.group(Api, "secrets", (handlers) =>
  Effect.gen(function*() {
    const store = yield* SecretStore
    const tokens = yield* Tokens
    const changes = yield* Changes

    const list = Effect.fnUntraced(function*(query: {
      readonly page?: number
      readonly pageSize?: number
      readonly realm?: string
    }) {
      const { realms } = yield* Caller
      const realm = query.realm ?? (realms !== "*" && realms.length === 1 ? realms[0] : undefined)
      if (realm !== undefined) yield* needRealm(realm)
      else if (realms !== "*") return yield* new Invalid({ issues: [{ name: "realm", rule: "is missing" }] })
      return yield* store.list({ ...paging(query), realm })
    })

    const save = Effect.fnUntraced(function*(given: typeof SavedSecret.Type) {
      const { generation, key, realm } = given
      yield* needRealm(realm)
      const values = valuesOf(given)
      if (values.size === 0) return yield* new Invalid({ issues: [{ name: "key_1", rule: "is missing" }] })
      const row = yield* changes.record(
        { action: "secret.save", realm, subject: key },
        store.save({ realm, key, values, generation })
      )
      yield* tokens.forget(realm, key)
      return row
    })

    return handlers
      .handle("list", ({ query }) => Effect.map(failing(list(query)), (page) => envelope(page, show)))
      .handle("save", ({ payload }) => Effect.map(failing(save(payload)), show))
      .handle("get", ({ params: { key, realm } }) =>
        needRealm(realm).pipe(Effect.andThen(store.row(realm, key)), Effect.map(show), failing))
      .handle("remove", ({ params: { key, realm } }) =>
        needRealm(realm).pipe(
          Effect.andThen(changes.record({ action: "secret.remove", realm, subject: key }, store.remove(realm, key))),
          Effect.andThen(tokens.forget(realm, key)),
          failing
        ))
  }))
