/**
 * Looks for secrets where none may be: in anything a program shows, logs, serialises or answers.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import { inspect } from "node:util"
import * as SpanRecorder from "./SpanRecorder.ts"

const partLength = 12

const encodings = (secret: string): Readonly<Record<string, string>> => {
  const bytes = Buffer.from(secret)
  return {
    raw: secret,
    base64: bytes.toString("base64").replace(/=+$/, ""),
    base64url: bytes.toString("base64url"),
    hex: bytes.toString("hex"),
    url: encodeURIComponent(secret),
    form: new URLSearchParams({ s: secret }).toString().slice(2),
    json: JSON.stringify(secret).slice(1, -1)
  }
}

const partsOf = (text: string): ReadonlyArray<string> =>
  text.length <= partLength
    ? [text]
    : Array.from({ length: text.length - partLength + 1 }, (_, start) => text.slice(start, start + partLength))

const json = (value: unknown): string => {
  try {
    return JSON.stringify(value) ?? ""
  } catch {
    return ""
  }
}

const faces = (value: unknown): Readonly<Record<string, string>> => ({
  string: String(value),
  json: json(value),
  inspect: inspect(value, { depth: 10, showHidden: true }),
  ...(value instanceof Error ? { message: value.message, stack: value.stack ?? "" } : {})
})

/**
 * Where `value` shows a secret: each secret, or any 12 characters of it, raw, in base64, in hex, URL-, form- or
 * JSON-escaped, is looked for in every way of printing the value. Empty when there is nothing to be found. A finding
 * names the secret by its key.
 *
 * @example
 * ```ts
 * import { SecretSweep } from "@effect-identity/testing"
 *
 * const findings = SecretSweep.find(new Error("refused: hunter2-hunter2"), { password: "hunter2-hunter2" })
 * findings[0] // => "password (raw) in string"
 * ```
 *
 * @stability unstable
 * @category combinators
 * @since 0.1.0
 */
export const find = (value: unknown, secrets: Readonly<Record<string, string>>): ReadonlyArray<string> => {
  const shown = Object.entries(faces(value)).map(([face, text]) => [face, text.toLowerCase()] as const)
  return Object.entries(secrets).flatMap(([name, secret]) =>
    Object.entries(encodings(secret)).flatMap(([encoding, encoded]) => {
      const parts = partsOf(encoded.toLowerCase())
      return shown
        .filter(([, text]) => parts.some((part) => text.includes(part)))
        .map(([face]) => `${name} (${encoding}) in ${face}`)
    })
  )
}

/**
 * How an effect ended, and what it showed meanwhile, for {@link find} to look through: its error in every rendering, log lines
 * of every level, names, attributes and ends of spans. What it succeeded with is not among it.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Watched<A, E> {
  readonly exit: Exit.Exit<A, E>
  readonly shown: ReadonlyArray<unknown>
}

/**
 * Runs an effect and keeps what it shows. A failure is logged, as programs do, with its cause.
 *
 * @example
 * ```ts
 * import { SecretSweep } from "@effect-identity/testing"
 * import { Effect } from "effect"
 *
 * const leaking = Effect.withSpan(Effect.void, "login", { attributes: { user: "hunter2-hunter2" } })
 *
 * const { shown } = await Effect.runPromise(SecretSweep.watch(leaking))
 * SecretSweep.find(shown, { password: "hunter2-hunter2" }).length > 0 // => true
 * ```
 *
 * @stability unstable
 * @category combinators
 * @since 0.1.0
 */
export const watch = Effect.fnUntraced(function*<A, E, R>(
  effect: Effect.Effect<A, E, R>
): Effect.fn.Return<Watched<A, E>, never, R> {
  const { spans, tracer } = SpanRecorder.make()
  const lines: Array<unknown> = []
  const logger = Logger.make((options) => {
    lines.push(Logger.formatJson.log(options), options.message)
  })
  const telling = effect.pipe(
    Effect.tapCause((cause) => Effect.logError("failed", cause)),
    Effect.tapCause((cause) => Effect.logTrace(Cause.pretty(cause)))
  )
  // It never ends: with its end it would be told what the effect succeeded with.
  const exit = yield* Effect.makeSpan("watched").pipe(
    Effect.flatMap((span) => Effect.withParentSpan(telling, span)),
    Effect.withTracer(tracer),
    Effect.provide(Logger.layer([logger])),
    Effect.provideService(References.MinimumLogLevel, "All"),
    Effect.exit
  )
  const error = Exit.isFailure(exit) ? [Cause.squash(exit.cause), Cause.pretty(exit.cause), String(exit)] : []
  const told = spans.map(({ attributes, name, status }) => ({ name, status, attributes: [...attributes] }))
  return { exit, shown: [error, lines, told] }
})
