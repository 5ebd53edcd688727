/**
 * Who may use a route.
 */
import * as Context from "effect/Context"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpApiSecurity from "effect/http-api/HttpApiSecurity"
import * as Problem from "../../Problem.ts"
import type { ApiKey, Role } from "../store/ApiKeyStore.ts"

/** The lowest role that may use a route, as an annotation of it; undefined where no key is needed. */
export const LowestRole = Context.Reference<Role | undefined>(
  "@effect-identity/token-server/internal/api/Access/LowestRole",
  { defaultValue: () => "admin" as const }
)

/** Whether a route needs a key for all realms. */
export const AllRealms = Context.Reference<boolean>(
  "@effect-identity/token-server/internal/api/Access/AllRealms",
  { defaultValue: () => false }
)

/** Whose request it is. */
export class Caller extends Context.Service<Caller, ApiKey>()(
  "@effect-identity/token-server/internal/api/Access/Caller"
) {}

/** Lets those in who have a key (RFC 6750) and the role. */
export class Access extends HttpApiMiddleware.Service<Access, { provides: Caller }>()(
  "@effect-identity/token-server/internal/api/Access",
  { security: { bearer: HttpApiSecurity.bearer }, error: Problem.schemas, requiredForClient: true }
) {}

/** Makes problems of requests that cannot be decoded and of defects. */
export class Answers extends HttpApiMiddleware.Service<Answers>()(
  "@effect-identity/token-server/internal/api/Access/Answers",
  { error: Problem.schemas }
) {}
