/**
 * What a realm asks its upstream, and where the answer to it stands.
 */
import type { Issue, Setting } from "@effect-identity/oauth/Setting"
import { missing, refuse } from "@effect-identity/oauth/Setting"
import * as Duration from "effect/Duration"
import * as Result from "effect/Result"
import type {
  Argument,
  ClientAuthentication,
  ErrorPredicate,
  Fixed,
  Life,
  Path as RealmPath,
  Request
} from "../../Realm.ts"
import type { RealmConfig } from "../../RealmConfig.ts"
import * as ArgumentRules from "./ArgumentRules.ts"
import * as Path from "./Path.ts"
import * as UrlRules from "./UrlRules.ts"

type Issues = Array<Issue>

const accept = <A>(setting: Setting<A>, issues: Issues): A | undefined => {
  if (Result.isSuccess(setting)) return setting.success
  issues.push(setting.failure)
  return undefined
}

const readPath = (name: string, text: string): Setting<RealmPath> => {
  const path = Path.parse(text)
  return path === undefined
    ? refuse(name, "must be names with single dots between, 16 at most, none of them of the prototype")
    : Result.succeed(path)
}

const at = (field: string) => `config.client_authentication.${field}`

const readClient = (config: RealmConfig, issues: Issues): ClientAuthentication | undefined => {
  const given = config.client_authentication
  if (given === undefined) return undefined
  const value = (field: string, text: string) => accept(ArgumentRules.readValue(at(field), text), issues)
  const secret = (field: string, text: string) => accept(ArgumentRules.readSecretValue(at(field), text), issues)
  if (given.method !== "bearer_jwt") {
    const clientId = value("client_id", given.client_id)
    const clientSecret = secret("client_secret", given.client_secret)
    return clientId && clientSecret && { method: given.method, clientId, clientSecret }
  }
  const issuer = value("issuer", given.issuer)
  const privateKey = secret("private_key", given.private_key)
  const keyId = given.key_id === undefined ? undefined : value("key_id", given.key_id)
  const audience = given.audience === undefined ? undefined : value("audience", given.audience)
  return issuer && privateKey && {
    method: given.method,
    issuer,
    privateKey,
    keyId,
    audience,
    lifetime: Duration.seconds(given.lifetime_seconds ?? 600),
    backdate: Duration.seconds(given.backdate_seconds ?? 0)
  }
}

const readErrors = (config: RealmConfig, issues: Issues): ReadonlyArray<ErrorPredicate> | undefined =>
  config.errors?.flatMap(({ path, retryable, success }, index) => {
    const parsed = accept(readPath(`config.errors[${index}].path`, path), issues)
    return parsed === undefined ? [] : [{
      path: parsed,
      success: (success ?? [0, ""]).map(String),
      retryable: (retryable ?? []).map(String)
    }]
  })

const readLife = (config: RealmConfig, issues: Issues): Life => {
  const { expires_in, expires_in_path, expires_in_unit } = config
  if (expires_in === undefined && expires_in_path === undefined) {
    issues.push({ name: "config.expires_in_path", rule: "is missing, and expires_in too" })
  }
  if (expires_in_unit !== undefined && expires_in_path === undefined) {
    issues.push({ name: "config.expires_in_unit", rule: "must not be there without expires_in_path" })
  }
  return {
    path: expires_in_path === undefined
      ? undefined
      : accept(readPath("config.expires_in_path", expires_in_path), issues),
    unit: expires_in_unit ?? "seconds",
    standard: expires_in === undefined ? undefined : Duration.seconds(expires_in)
  }
}

/** What stands in braces in the path of an address, after the parser of URLs has written the braces anew. */
export const placeholder = /%7B(\w+)%7D/g

const checkPlaces = (href: string, sent: ReadonlyArray<Argument>, issues: Issues): void => {
  const named = new Set(Array.from(new URL(href).pathname.matchAll(placeholder), ([, name]) => name))
  const filled = new Set<string | undefined>(
    sent.filter(({ isForForced, place }) => place === "path" && !isForForced).map(({ name }) => name)
  )
  if (filled.size !== named.size || [...filled].some((name) => !named.has(name))) {
    issues.push({ name: "config.url", rule: "must have in braces in its path what arguments put there, and only that" })
  }
}

const clientFields = {
  client_secret_basic: ["header authorization"],
  bearer_jwt: ["header authorization"],
  client_secret_post: ["body client_id", "body client_secret"]
} as const

const checkClient = (request: Pick<Request, "clientAuthentication" | "method" | "arguments">, issues: Issues) => {
  const { arguments: sent, clientAuthentication: client, method } = request
  if (client === undefined) return
  const taken: ReadonlyArray<string> = clientFields[client.method]
  if (sent.some(({ name, place }) => taken.includes(`${place} ${name}`))) {
    issues.push({ name: "config.arguments", rule: "must not say again what client_authentication says" })
  }
  if (client.method === "client_secret_post" && method === "GET") {
    issues.push({ name: "config.client_authentication.method", rule: "must not be client_secret_post with GET" })
  }
}

/** Reads what is asked, and pushes what is wrong with it. */
export const readRequest = (config: RealmConfig, limits: UrlRules.Limits, issues: Issues): Request | undefined => {
  const { content_type: contentType = "json", method = "GET", token_exchange, token_path, url: text } = config
  const url = accept(
    text === undefined ? refuse("config.url", missing) : UrlRules.read("config.url", text, limits),
    issues
  )
  const sent = ArgumentRules.read("config.arguments", config.arguments ?? [], issues)
  const tokenPath = accept(
    token_path === undefined ? refuse("config.token_path", missing) : readPath("config.token_path", token_path),
    issues
  )
  const life = readLife(config, issues)
  const errors = readErrors(config, issues)
  const clientAuthentication = readClient(config, issues)
  checkClient({ arguments: sent, clientAuthentication, method }, issues)
  if (url !== undefined) checkPlaces(url.href, sent, issues)
  const exchangeUrl = token_exchange
    && accept(UrlRules.read("config.token_exchange.url", token_exchange.url, limits), issues)
  const exchangeClient = token_exchange
    && accept(ArgumentRules.readValue("config.token_exchange.client_id", token_exchange.client_id), issues)
  const exchange = exchangeUrl && exchangeClient && { url: exchangeUrl, clientId: exchangeClient }
  return url === undefined || tokenPath === undefined ? undefined : {
    _tag: "Request",
    url,
    method,
    arguments: sent,
    contentType,
    clientAuthentication,
    tokenPath,
    life,
    errors,
    exchange
  }
}

const fixedLifetime = Duration.days(1)

const notOfFixed = [
  "url",
  "method",
  "arguments",
  "content_type",
  "token_path",
  "expires_in_path",
  "expires_in_unit",
  "errors",
  "client_authentication",
  "token_exchange",
  "overlap_ms"
] as const

/** Reads a token that is never asked for, and pushes what does not go with that. */
export const readFixed = (config: RealmConfig, issues: Issues): Fixed => {
  for (const field of notOfFixed) {
    if (config[field] !== undefined) {
      issues.push({ name: `config.${field}`, rule: "must not be there in a fixed realm" })
    }
  }
  return {
    _tag: "Fixed",
    token: { key: "key_1" },
    lifetime: config.expires_in === undefined ? fixedLifetime : Duration.seconds(config.expires_in)
  }
}
