/**
 * Tokens in SQL, sealed, and the claims of those who fetch them. Every moment here is one of the database's clock, in
 * milliseconds since 1970: the clocks of two servers are never compared.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import type { StoreFailed, Unsealable, UpstreamFailed } from "../Failure.ts"
import { NotFound } from "../Failure.ts"
import { Database } from "./Database.ts"
import * as FailureRecord from "./FailureRecord.ts"
import { KeyRing } from "./KeyRing.ts"

/** Which secret: one that was removed and made anew is another one, although its generation may be the same. */
export interface SecretVersion {
  readonly generation: number
  readonly createdAt: number
}

export const isSameSecret = (one: SecretVersion, other: SecretVersion): boolean =>
  one.generation === other.generation && one.createdAt === other.createdAt

export interface StoredToken {
  /** The number of the claim that brought it: the newest token has the highest. */
  readonly version: number
  readonly expiresAt: number
  /** Its whole life, in milliseconds. */
  readonly lifetime: number
  readonly open: Effect.Effect<Redacted.Redacted, Unsealable>
}

/** What is known of a key at one moment. */
export interface Reading {
  readonly now: number
  readonly secret: SecretVersion
  /** The token that was got with this secret. */
  readonly token: StoredToken | undefined
  /** Somebody is fetching. */
  readonly isLeased: boolean
  /** Since when the stored token may have been replaced by one that nobody holds: somebody asked, and has not stored. */
  readonly doubtSince: number | undefined
  /** What the upstream said to this secret, until when nobody asks again. */
  readonly failure: { readonly error: UpstreamFailed; readonly until: number } | undefined
}

export interface Place {
  readonly realm: string
  readonly key: string
}

/** The right to fetch, until somebody else has it. */
export interface Claim extends Place {
  readonly secret: SecretVersion
  /** Nobody else's. */
  readonly tag: string
  /** Only grows. */
  readonly number: number
  readonly at: number
}

export class TokenStore extends Context.Service<TokenStore, {
  readonly read: (place: Place) => Effect.Effect<Reading, NotFound | StoreFailed>
  /** Undefined when somebody else has it, or the secret is another one by now. */
  readonly claim: (
    place: Place,
    options: { readonly tag: string; readonly secret: SecretVersion; readonly leaseMillis: number }
  ) => Effect.Effect<Claim | undefined, StoreFailed>
  /**
   * Marks that a request leaves now, and answers when that is; undefined when the claim is somebody else's or does not last
   * for so many milliseconds more.
   */
  readonly confirm: (claim: Claim, forMillis: number) => Effect.Effect<number | undefined, StoreFailed>
  /**
   * Stores a token and gives the claim back. A claim that was lost still stores a token that was sent for after the stored one
   * was. False when nothing was stored: there is a newer one, or the secret is another one by now, or gone.
   */
  readonly store: (claim: Claim, token: {
    readonly value: Redacted.Redacted
    readonly sentAt: number
    readonly expiresAt: number
    readonly lifetime: number
  }) => Effect.Effect<boolean, StoreFailed>
  /** An answer to a claim that was lost came too late to know which token the upstream issued last: doubt since `sentAt`. */
  readonly doubt: (claim: Claim, sentAt: number) => Effect.Effect<void, StoreFailed>
  /**
   * Remembers a failure for so long and gives the claim back, or answers false when it is somebody else's. `settled` is when a
   * request left that certainly issued nothing.
   */
  readonly fail: (claim: Claim, failure: {
    readonly error: UpstreamFailed
    readonly pauseMillis: number
    readonly settled: number | undefined
  }) => Effect.Effect<boolean, StoreFailed>
  /** Gives the claim back, if it is still this one's. */
  readonly release: (claim: Claim) => Effect.Effect<void, StoreFailed>
}>()("@effect-identity/token-server/internal/store/TokenStore") {}

interface Row {
  readonly now: number
  readonly realm: string | null
  readonly generation: number | null
  readonly created_at: number | null
  readonly secret_generation: number | null
  readonly key_id: string | null
  readonly sealed: string | null
  readonly requested_at: number | null
  readonly expires_at: number | null
  readonly lease_tag: string | null
  readonly lease_until: number | null
  readonly stored_claim: number | null
  readonly doubt_since: number | null
  readonly failure: string | null
  readonly failure_generation: number | null
  readonly failure_until: number | null
}

/** What a token is bound to where it is sealed. */
export const sealedAt = ({ key, realm }: Place): ReadonlyArray<string> => ["tokens", realm, key, "sealed"]

const make = Effect.gen(function*() {
  const database = yield* Database
  const keyRing = yield* KeyRing
  const { sql } = database

  const tokenOf = (place: Place, row: Row): StoredToken | undefined => {
    const { expires_at, generation, key_id, requested_at, sealed, secret_generation, stored_claim } = row
    return expires_at === null || key_id === null || requested_at === null || sealed === null || stored_claim === null
        || secret_generation !== generation
      ? undefined
      : {
        version: stored_claim,
        expiresAt: expires_at,
        lifetime: expires_at - requested_at,
        open: keyRing.open({ keyId: key_id, text: sealed }, sealedAt(place))
      }
  }

  const read = Effect.fnUntraced(function*(place: Place) {
    const [row] = yield* database.run(sql<Row>`
      SELECT ${database.clock} AS now, r.id AS realm, s.generation, s.created_at, t.secret_generation, t.key_id, t.sealed,
        t.requested_at, t.expires_at, t.lease_tag, t.lease_until, t.stored_claim, t.doubt_since,
        t.failure, t.failure_generation, t.failure_until
      FROM (SELECT 1 AS one) AS o
      LEFT JOIN realms r ON r.id = ${place.realm}
      LEFT JOIN secrets s ON s.realm = r.id AND s."key" = ${place.key}
      LEFT JOIN tokens t ON t.realm = s.realm AND t."key" = s."key"`)
    if (row === undefined || row.realm === null) return yield* new NotFound({ what: "realm" })
    const { created_at, failure, failure_until, generation, now } = row
    if (generation === null || created_at === null) return yield* new NotFound({ what: "secret" })
    return {
      now,
      secret: { generation, createdAt: created_at },
      token: tokenOf(place, row),
      isLeased: row.lease_tag !== null && (row.lease_until ?? 0) > now,
      doubtSince: row.doubt_since ?? undefined,
      failure:
        failure === null || failure_until === null || failure_until <= now || row.failure_generation !== generation
          ? undefined
          : { error: FailureRecord.read(failure, failure_until - now), until: failure_until }
    }
  })

  const claim = Effect.fnUntraced(function*(
    { key, realm }: Place,
    { leaseMillis, secret, tag }: { readonly tag: string; readonly secret: SecretVersion; readonly leaseMillis: number }
  ) {
    // A row made anew begins with the time, so that its claims are above those of the row that was there before.
    const [row] = yield* database.run(sql<{ claim: number; now: number }>`
      INSERT INTO tokens (realm, "key", claim, stored_claim, lease_tag, lease_until)
      SELECT s.realm, s."key", ${database.clock}, 0, ${tag}, ${database.clock} + ${leaseMillis} FROM secrets s
      WHERE s.realm = ${realm} AND s."key" = ${key}
        AND s.generation = ${secret.generation} AND s.created_at = ${secret.createdAt}
      ON CONFLICT (realm, "key") DO UPDATE SET
        claim = CASE WHEN tokens.claim < excluded.claim THEN excluded.claim ELSE tokens.claim + 1 END,
        lease_tag = excluded.lease_tag, lease_until = excluded.lease_until, sent_at = NULL, suspect = 0
      WHERE tokens.lease_tag IS NULL OR tokens.lease_until <= ${database.clock}
      RETURNING claim, ${database.clock} AS now`)
    return row === undefined ? undefined : { realm, key, secret, tag, number: row.claim, at: row.now }
  })

  const confirm = Effect.fnUntraced(function*({ key, realm, tag }: Claim, forMillis: number) {
    const [row] = yield* database.run(sql<{ sent_at: number }>`
      UPDATE tokens SET sent_at = ${database.clock}, doubt_since = COALESCE(doubt_since, ${database.clock})
      WHERE realm = ${realm} AND "key" = ${key} AND lease_tag = ${tag}
        AND lease_until >= ${database.clock} + ${Math.ceil(forMillis)}
      RETURNING sent_at`)
    return row?.sent_at
  })

  const store: TokenStore["Service"]["store"] = Effect.fnUntraced(function*(claim, token) {
    const { key, number, realm, secret, tag } = claim
    const sealed = yield* keyRing.seal(token.value, sealedAt(claim))
    const rows = yield* database.run(sql`
      UPDATE tokens SET secret_generation = ${secret.generation}, key_id = ${sealed.keyId}, sealed = ${sealed.text},
        requested_at = ${token.expiresAt - token.lifetime}, expires_at = ${token.expiresAt},
        stored_claim = ${number}, stored_sent = ${token.sentAt},
        doubt_since = CASE WHEN suspect = 1 THEN doubt_since WHEN sent_at > ${token.sentAt} THEN sent_at ELSE NULL END,
        lease_tag = CASE WHEN lease_tag = ${tag} THEN NULL ELSE lease_tag END,
        failure = NULL, failure_generation = NULL, failure_until = NULL
      WHERE realm = ${realm} AND "key" = ${key}
        AND (lease_tag = ${tag} OR stored_sent IS NULL OR stored_sent < ${token.sentAt})
        AND EXISTS (
          SELECT 1 FROM secrets s WHERE s.realm = ${realm} AND s."key" = ${key}
            AND s.generation = ${secret.generation} AND s.created_at = ${secret.createdAt}
        )
      RETURNING stored_claim`)
    return rows.length > 0
  })

  const doubt = ({ key, number, realm, tag }: Claim, sentAt: number) =>
    Effect.asVoid(database.run(sql`
      UPDATE tokens SET suspect = 1, doubt_since = CASE WHEN doubt_since < ${sentAt} THEN doubt_since ELSE ${sentAt} END
      WHERE realm = ${realm} AND "key" = ${key} AND stored_claim <> ${number} AND (lease_tag IS NULL OR lease_tag <> ${tag})`))

  const fail: TokenStore["Service"]["fail"] = ({ key, realm, secret, tag }, { error, pauseMillis, settled }) =>
    Effect.map(
      database.run(sql`
      UPDATE tokens SET lease_tag = NULL, failure = ${
        FailureRecord.write(error)
      }, failure_generation = ${secret.generation},
        failure_until = ${database.clock} + ${Math.ceil(pauseMillis)},
        doubt_since = CASE WHEN doubt_since = ${settled ?? -1} THEN NULL ELSE doubt_since END
      WHERE realm = ${realm} AND "key" = ${key} AND lease_tag = ${tag}
      RETURNING claim`),
      (rows) => rows.length > 0
    )

  const release = ({ key, realm, tag }: Claim) =>
    Effect.asVoid(database.run(sql`
      UPDATE tokens SET lease_tag = NULL WHERE realm = ${realm} AND "key" = ${key} AND lease_tag = ${tag}`))

  return TokenStore.of({ read, claim, confirm, store, doubt, fail, release })
})

export const layer: Layer.Layer<TokenStore, never, Database | KeyRing> = Layer.effect(TokenStore, make)
