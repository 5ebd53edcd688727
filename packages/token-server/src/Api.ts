/**
 * The server's HTTP API as data: what it takes and what it answers. The server, its OpenAPI document and its client are made
 * from it.
 *
 * @since 0.1.0
 */
import * as HttpApi from "effect/http-api/HttpApi"
import type * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import { Access } from "./internal/api/Access.ts"
import { ApiKeysGroup, AuditGroup } from "./internal/api/Administration.ts"
import { RealmsGroup } from "./internal/api/Realms.ts"
import { SecretsGroup } from "./internal/api/Secrets.ts"
import { TokensGroup } from "./internal/api/Tokens.ts"

// Left to be inferred, they stand in the declarations in an order that changes from one compilation to the next.
type Groups =
  | typeof ApiKeysGroup
  | typeof AuditGroup
  | typeof RealmsGroup
  | typeof SecretsGroup
  | typeof TokensGroup

/**
 * What a client of the API signs its requests with: the middleware that puts an API key on them.
 *
 * @stability unstable
 * @category services
 * @since 0.1.0
 */
export const ApiAccess = Access

/**
 * The API. Every route needs an API key as a bearer token (RFC 6750); what fails is a `Problem`.
 *
 * @example
 * ```ts
 * import { Api } from "@effect-identity/token-server"
 * import { OpenApi } from "effect/http-api"
 *
 * Object.keys(OpenApi.fromApi(Api.Api).paths).includes("/api/token") // => true
 * ```
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export const Api: HttpApi.HttpApi<"token-server", HttpApiGroup.AddPrefix<Groups, "/api">> = HttpApi.make("token-server")
  .add(TokensGroup, RealmsGroup, SecretsGroup, ApiKeysGroup, AuditGroup)
  .prefix("/api")
  // A field that nobody reads is a mistake of its sender.
  .annotate(HttpApi.ParseOptions, { onExcessProperty: "error", errors: "all" })
  .annotate(OpenApi.Title, "Token server")
  .annotate(
    OpenApi.Description,
    "Holds the secrets of upstream APIs and hands out their tokens. Failures are problem details (RFC 9457) with a code."
  )
