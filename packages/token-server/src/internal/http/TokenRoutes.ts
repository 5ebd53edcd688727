/**
 * Hands out tokens.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { Api } from "../../Api.ts"
import { Caller } from "../api/Access.ts"
import { type HandedOut, Tokens, type Wanted } from "../tokens/Tokens.ts"
import { needRealm, needRole } from "./Authorization.ts"
import { failing } from "./Problems.ts"
import { type ReadAction, Reads } from "./Reads.ts"

/** An answer, its fields in the order in which they are written. */
const answer = ({ expiresIn, persisted, source, value }: HandedOut) => ({
  token: value,
  expires_in: expiresIn,
  source,
  ...(!persisted && { persisted })
})

export const layer = HttpApiBuilder.group(Api, "tokens", (handlers) =>
  Effect.gen(function*() {
    const tokens = yield* Tokens
    const reads = yield* Reads

    const counted = <A, E, R>(action: ReadAction, { key, realm }: Wanted, effect: Effect.Effect<A, E, R>) =>
      Effect.gen(function*() {
        const { id } = yield* Caller
        yield* Effect.tapError(needRealm(realm), () =>
          Effect.sync(() => reads.countUnsafe(id, action, realm, key, "denied")))
        return yield* Effect.onExit(effect, (exit) =>
          Effect.sync(() =>
            reads.countUnsafe(id, action, realm, key, exit._tag === "Success" ? "ok" : "failed")
          ))
      })

    const get = Effect.fnUntraced(function*(wanted: Wanted, isForced: boolean) {
      if (!isForced) {
        return answer(yield* counted("token.read", wanted, tokens.get(wanted)))
      }
      const caller = yield* Caller
      yield* Effect.tapError(needRole(caller, "operator"), () =>
        Effect.sync(() =>
          reads.countUnsafe(caller.id, "token.flush", wanted.realm, wanted.key, "denied")
        ))
      return answer(yield* counted("token.flush", wanted, tokens.flush(wanted)))
    })

    return handlers
      .handle("get", ({ query: { flush, key, min_ttl, realm } }) =>
        failing(get({
          realm,
          key,
          minTtl: min_ttl === undefined ? undefined : Duration.millis(min_ttl)
        }, flush === "true")))
      .handle("report", ({ payload: { key, realm, token } }) =>
        counted("token.report", { realm, key, minTtl: undefined }, tokens.report(realm, key, token)).pipe(
          Effect.map((outcome) => ({ outcome })),
          failing
        ))
  }))
