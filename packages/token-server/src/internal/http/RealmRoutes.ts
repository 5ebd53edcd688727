/**
 * Lists, writes and removes realms.
 */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { Api } from "../../Api.ts"
import * as Presets from "../../Presets.ts"
import * as Realm from "../../Realm.ts"
import { Caller } from "../api/Access.ts"
import { Invalid } from "../Failure.ts"
import { type RealmRow, RealmStore } from "../store/RealmStore.ts"
import { Tokens } from "../tokens/Tokens.ts"
import { needRealm } from "./Authorization.ts"
import { Changes } from "./Changes.ts"
import { cut, envelope, moment, paging } from "./Listing.ts"
import { failing } from "./Problems.ts"

const isJson = Schema.is(Schema.Json)

const show = ({ comment, config, createdAt, id, updatedAt, version }: RealmRow) => ({
  id,
  comment,
  config: isJson(config) ? config : null,
  version,
  created_at: moment(createdAt),
  updated_at: moment(updatedAt)
})

const presets = envelope(
  cut(Object.entries(Presets.presets), { page: 1, pageSize: Number.MAX_SAFE_INTEGER }),
  ([id, { config, keys, title }]) => ({ id, title, keys, config: isJson(config) ? config : null })
)

/** Saved as it is written; what cannot be decoded is not saved. */
const checked = (written: { readonly id: string; readonly comment: string; readonly config: Schema.Json }) =>
  Effect.fromResult(Result.mapBoth(Realm.decode(written), {
    onSuccess: () => written,
    onFailure: (issues) => new Invalid({ issues })
  }))

export const layer = HttpApiBuilder.group(Api, "realms", (handlers) =>
  Effect.gen(function*() {
    const store = yield* RealmStore
    const tokens = yield* Tokens
    const changes = yield* Changes

    /** The realms of a key for some are few: they are looked up one by one. */
    const granted = Effect.fnUntraced(function*(ids: ReadonlyArray<string>, keyword: string | undefined) {
      const rows = yield* Effect.forEach(ids.toSorted(), (id) =>
        store.row(id).pipe(
          Effect.map((row) => [row]),
          Effect.catchTag("NotFound", () => Effect.succeed([]))
        ))
      return rows.flat().filter(({ comment, id }) =>
        keyword === undefined || comment.includes(keyword) || id.includes(keyword)
      )
    })

    const list = Effect.fnUntraced(function*(query: {
      readonly page?: number
      readonly pageSize?: number
      readonly keyword?: string
    }) {
      const { realms } = yield* Caller
      const part = paging(query)
      return realms === "*"
        ? yield* store.list({ ...part, keyword: query.keyword })
        : cut(yield* granted(realms, query.keyword), part)
    })

    return handlers
      .handle("list", ({ query }) => Effect.map(failing(list(query)), (page) => envelope(page, show)))
      .handle("save", ({ payload: { comment = "", config, id, version } }) =>
        needRealm(id).pipe(
          Effect.andThen(checked({ id, comment, config })),
          Effect.andThen(changes.record(
            { action: "realm.save", realm: id, subject: id },
            store.save({ id, comment, config, version })
          )),
          Effect.tap(tokens.forget(id, undefined)),
          Effect.map(show),
          failing
        ))
      .handle(
        "get",
        ({ params: { id } }) => needRealm(id).pipe(Effect.andThen(store.row(id)), Effect.map(show), failing)
      )
      .handle("remove", ({ params: { id }, query: { cascade } }) =>
        needRealm(id).pipe(
          Effect.andThen(changes.record(
            { action: "realm.remove", realm: id, subject: id },
            store.remove(id, cascade === "true")
          )),
          Effect.andThen(tokens.forget(id, undefined)),
          failing
        ))
      .handle("presets", () => Effect.succeed(presets))
  }))
