/**
 * Turns what was written down of a realm into one, or into everything that is wrong with it.
 */
import type { Issue, Setting } from "@effect-identity/oauth/Setting"
import * as Duration from "effect/Duration"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as SchemaIssue from "effect/SchemaIssue"
import * as Presets from "../../Presets.ts"
import type { Fixed, Realm, Request, Value } from "../../Realm.ts"
import { RealmConfig } from "../../RealmConfig.ts"
import * as FieldIssues from "../FieldIssues.ts"
import * as AddressRules from "../upstream/AddressRules.ts"
import * as Lease from "./Lease.ts"
import * as RequestRules from "./RequestRules.ts"
import * as UrlRules from "./UrlRules.ts"

const Written = Schema.Struct({
  id: Schema.String.check(
    Schema.isPattern(/^[A-Za-z\d][\w.-]{0,49}$/, {
      expected: "1 to 50 letters, digits, dots, dashes and underscores, the first a letter or digit"
    })
  ),
  comment: Schema.optionalKey(
    Schema.NullOr(
      // eslint-disable-next-line no-control-regex
      Schema.String.check(Schema.isPattern(/^[^\x00-\x08\x0b-\x1f\x7f]{0,5000}$/, {
        expected: "at most 5000 characters, none of them control characters"
      }))
    )
  ),
  version: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }))),
  config: RealmConfig
})

const decodeWritten = Schema.decodeUnknownResult(Written, { errors: "all", onExcessProperty: "error" })

const nameOf = (path: ReadonlyArray<unknown>): string =>
  path.reduce<string>(
    (name, part) =>
      typeof part === "number" ? `${name}[${part}]` : name === "" ? String(part) : `${name}.${String(part)}`,
    ""
  )
  || "realm"

const issuesOf = (issue: SchemaIssue.Issue): ReadonlyArray<Issue> =>
  FieldIssues.format(issue).issues.map(({ message, path }) => ({
    name: nameOf((path ?? []).map((part) => typeof part === "object" ? part.key : part)).slice(0, 300),
    rule: message.replace(/^Expected /, "must be ")
  }))

const keyOf = (value: Value | undefined): ReadonlyArray<string> =>
  value !== undefined && "key" in value ? [value.key] : []

const keysOf = (source: Fixed | Request): ReadonlyArray<string> => {
  if (source._tag === "Fixed") return keyOf(source.token)
  const { arguments: all, clientAuthentication: client, exchange } = source
  const values = client === undefined
    ? []
    : client.method === "bearer_jwt"
    ? [client.issuer, client.privateKey, client.keyId, client.audience]
    : [client.clientId, client.clientSecret]
  const found = [...all.map(({ value }) => value), ...values, exchange?.clientId].flatMap(keyOf)
  return [...new Set(found)].toSorted()
}

const standard = { timeout: 10_000, concurrency: 8, refreshBudget: { limit: 10, window_ms: 600_000 } }

const limitsOf = (config: RealmConfig, accept: Accept): UrlRules.Limits => ({
  allowedHosts: config.allowed_hosts?.flatMap((text, index) => {
    const host = UrlRules.readHost(text)
    return accept(
      host === undefined
        ? Result.fail({ name: `config.allowed_hosts[${index}]`, rule: "must be a host name, *. in front at most" })
        : Result.succeed(host)
    ) ?? []
  }),
  openings: (config.private_addresses ?? []).flatMap((text, index) => {
    const opening = AddressRules.parseOpening(text)
    return accept(
      opening === undefined
        ? Result.fail({
          name: `config.private_addresses[${index}]`,
          rule: "must be an IP address, a range as in 10.1.0.0/16, or either an address or a host name with its port"
        })
        : AddressRules.opensNothing(text)
        ? Result.fail({
          name: `config.private_addresses[${index}]`,
          rule: "must not be link-local or of a metadata service: those are never connected to"
        })
        : Result.succeed(opening)
    ) ?? []
  })
})

type Accept = <A>(setting: Setting<A>) => A | undefined

const overlapIssue = (timeout: Duration.Duration, overlap: Duration.Duration): Issue | undefined => {
  // A holder that was frozen may send until its lease ends, and whoever comes after it needs its own deadline.
  const needed = Duration.sum(Lease.of(timeout), timeout)
  return Duration.isLessThan(needed, overlap) ? undefined : {
    name: "config.overlap_ms",
    rule: `must be more than ${Duration.toMillis(needed)}, the lease and the deadline that go with timeout_ms`
  }
}

/** See `Realm.decode`. */
export const decode = (input: unknown): Result.Result<Realm, ReadonlyArray<Issue>> => {
  const written = decodeWritten(input)
  if (Result.isFailure(written)) return Result.fail(issuesOf(written.failure.issue))
  const { comment, id, version } = written.success
  const config = Presets.fillIn(written.success.config)
  const issues: Array<Issue> = []
  const accept: Accept = (setting) => {
    if (Result.isSuccess(setting)) return setting.success
    issues.push(setting.failure)
    return undefined
  }

  const timeout = Duration.millis(config.timeout_ms ?? standard.timeout)
  const overlap = config.overlap_ms === undefined ? undefined : Duration.millis(config.overlap_ms)
  const tooShort = overlap === undefined ? undefined : overlapIssue(timeout, overlap)
  if (tooShort !== undefined) issues.push(tooShort)
  const limits = limitsOf(config, accept)
  const source = config.preset === "fixed"
    ? RequestRules.readFixed(config, issues)
    : RequestRules.readRequest(config, limits, issues)
  if (issues.length > 0 || source === undefined) return Result.fail(issues)

  const budget = config.refresh_budget ?? standard.refreshBudget
  return Result.succeed({
    id,
    comment: comment ?? "",
    version: version ?? 0,
    timeout,
    concurrency: config.concurrency ?? standard.concurrency,
    overlap,
    refreshBudget: { limit: budget.limit, window: Duration.millis(budget.window_ms) },
    source,
    egress: { privateAddresses: config.private_addresses ?? [] },
    keys: keysOf(source)
  })
}
