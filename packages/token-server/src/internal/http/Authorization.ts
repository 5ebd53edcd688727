/**
 * Lets requests in: the key first (RFC 6750), then the role of the route. What of a realm a caller may touch is asked for by
 * the handlers, in the words of a realm that does not exist.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Problem from "../../Problem.ts"
import { Access, AllRealms, Caller, LowestRole } from "../api/Access.ts"
import { NotFound } from "../Failure.ts"
import type { ApiKey, Role } from "../store/ApiKeyStore.ts"
import { Callers } from "./Callers.ts"
import * as Digest from "./Digest.ts"
import { failing } from "./Problems.ts"
import { Reads } from "./Reads.ts"

const ranks: Readonly<Record<Role, number>> = { reader: 0, operator: 1, admin: 2 }

export const hasRole = (key: ApiKey, lowest: Role): boolean => ranks[key.role] >= ranks[lowest]

export const maySee = (key: ApiKey, realm: string): boolean => key.realms === "*" || key.realms.includes(realm)

/** The role, or the problem that it is too low. */
export const needRole = (key: ApiKey, lowest: Role): Effect.Effect<void, Problem.Problem> =>
  hasRole(key, lowest) ? Effect.void : Problem.make("role_too_low", { detail: `this needs the role ${lowest}` })

/** Whether the realm is among the caller's, which the caller cannot tell from whether there is such a realm. */
export const needRealm = (realm: string): Effect.Effect<void, NotFound, Caller> =>
  Effect.flatMap(Caller, (key) => maySee(key, realm) ? Effect.void : new NotFound({ what: "realm" }))

const routeReads = (path: string): boolean => path.startsWith("/api/token")

export const layer: Layer.Layer<Access, never, Callers | Reads> = Layer.effect(
  Access,
  Effect.gen(function*() {
    const callers = yield* Callers
    const reads = yield* Reads

    const authenticate = Effect.fnUntraced(function*(credential: Redacted.Redacted, path: string) {
      const text = Redacted.value(credential)
      if (text === "") return yield* Problem.make("unauthenticated")
      const digest = Digest.ofUnsafe(text)
      if (digest === undefined) return yield* Problem.make("invalid_key")
      return yield* callers.find(digest, routeReads(path) ? "read" : "change").pipe(
        Effect.catchTag("NotFound", () => Effect.fail(Problem.make("invalid_key"))),
        failing
      )
    })

    const authorize = Effect.fnUntraced(function*(key: ApiKey, annotations: Context.Context<never>) {
      const lowest = Context.get(annotations, LowestRole)
      if (lowest !== undefined) yield* needRole(key, lowest)
      if (Context.get(annotations, AllRealms) && key.realms !== "*") {
        return yield* Problem.make("role_too_low", { detail: "this needs a key for all realms" })
      }
    })

    return Access.of({
      bearer: Effect.fnUntraced(function*(answer, { credential, endpoint: { annotations, method, path } }) {
        const key = yield* authenticate(credential, path)
        yield* Effect.tapError(
          authorize(key, annotations),
          () => Effect.sync(() => reads.countRefusalUnsafe(key.id, `${method} ${path}`))
        )
        return yield* Effect.provideService(answer, Caller, key)
      })
    })
  })
)
