/**
 * Problems as answers, whatever went wrong behind a route.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as HttpApiError from "effect/http-api/HttpApiError"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import type * as Schema from "effect/Schema"
import * as Problem from "../../Problem.ts"
import * as Access from "../api/Access.ts"
import * as FieldIssues from "../FieldIssues.ts"
import * as Digest from "./Digest.ts"

const challenges: Partial<Record<Problem.Code, string>> = {
  unauthenticated: "Bearer",
  invalid_key: "Bearer error=\"invalid_token\"",
  role_too_low: "Bearer error=\"insufficient_scope\""
}

/** The text of a problem, and what stands beside it in the head. */
export const render = (problem: Problem.Problem): {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
} => {
  const { code, detail, id, issues, retry_after, status, title, type, upstream_code } = problem
  const challenge = challenges[code]
  return {
    status,
    headers: {
      "content-type": "application/problem+json",
      ...(challenge !== undefined && { "www-authenticate": challenge }),
      ...(retry_after !== undefined && { "retry-after": String(retry_after) })
    },
    body: JSON.stringify({ type, title, status, code, detail, issues, retry_after, upstream_code, id })
  }
}

export const toResponse = (problem: Problem.Problem): HttpServerResponse.HttpServerResponse => {
  const { body, headers: { "content-type": contentType, ...headers }, status } = render(problem)
  return HttpServerResponse.text(body, { status, headers, contentType })
}

/** What a field is called: names that nobody here gave are not repeated. */
const nameOf = (path: ReadonlyArray<PropertyKey>, fallback: string): string => {
  const name = path.map((part) => typeof part === "number" ? `[${part}]` : `.${String(part)}`).join("").replace(
    /^\./,
    ""
  )
  return /^[\w.[\]-]{1,100}$/.test(name) ? name : fallback
}

/** Fields and rules of what cannot be decoded. */
export const issuesOf = ({ issue }: Schema.SchemaError, fallback: string) =>
  FieldIssues.format(issue).issues.map(({ message, path = [] }) => ({
    name: nameOf(path.filter((part): part is PropertyKey => typeof part !== "object"), fallback),
    rule: message.replace(/^Expected /, "must be ")
  }))

const nameOfDefect = (defect: unknown): string =>
  defect instanceof Error && /^\w{1,40}$/.test(defect.name) ? defect.name : typeof defect

/** A failure of the server's own: the caller gets an id, and the log what kind of defect it was, and where. */
export const unexpected = Effect.fnUntraced(function*(defect: unknown) {
  const id = yield* Digest.randomId
  const place = defect instanceof Error
    ? /\n\s+at [^\n]*?([\w.-]+\.[jt]s:\d+:\d+)/.exec(defect.stack ?? "")?.[1]
    : undefined
  yield* Effect.annotateLogs(Effect.logError("unexpected failure"), {
    "incident.id": id,
    "error.type": nameOfDefect(defect),
    ...(place !== undefined && { "code.place": place })
  })
  return Problem.make("internal_error", { id })
})

const parts = { Params: "path", Query: "query", Headers: "headers", Payload: "body" } as const

/** The problem that any failure of a route is. */
const problemOf = (error: unknown): Effect.Effect<Problem.Problem> => {
  if (error instanceof Problem.Problem) return Effect.succeed(error)
  if (HttpApiError.HttpApiSchemaError.is(error) && error.kind !== "Body" && error.kind !== "ResponseHeaders") {
    return Effect.succeed(Problem.make("invalid_request", { issues: issuesOf(error.cause, parts[error.kind]) }))
  }
  return unexpected(error)
}

/** Every failure, and every defect, as an answer. */
export const answering = <E, R>(
  app: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>
): Effect.Effect<HttpServerResponse.HttpServerResponse, never, R> =>
  Effect.catchCause(app, (cause) =>
    Cause.hasInterruptsOnly(cause)
      ? Effect.interrupt
      : Effect.map(problemOf(Cause.squash(cause)), toResponse))

export const layer: Layer.Layer<Access.Answers> = Layer.succeed(Access.Answers, answering)
