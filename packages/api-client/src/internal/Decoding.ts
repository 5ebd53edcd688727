/**
 * From the answer of a success to what the caller asked for.
 */
import type { Answer } from "@effect-identity/oauth/SecureRequest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import { type ApiError, Undecodable } from "../ApiError.ts"
import * as ApiAnswer from "./ApiAnswer.ts"

const describe = SchemaIssue.makeFormatterStandardSchemaV1()

/** Where the first issue is. Names that may be data, such as the keys of a record, are shown as far as words may be. */
const pathOf = ({ issue }: Schema.SchemaError, answer: Answer): ReadonlyArray<string | number> =>
  (describe(issue).issues[0]?.path ?? []).map((segment) => {
    const key = typeof segment === "object" ? segment.key : segment
    return typeof key === "number" ? key : answer.word(key) ?? "?"
  })

export const read = <A, I>(
  method: string,
  answer: Answer,
  schema: Schema.Codec<A, I> | undefined
): Effect.Effect<unknown, ApiError> => {
  const data = Effect.fromResult(ApiAnswer.dataOf(method, answer))
  if (schema === undefined) return data
  const decode = Schema.decodeUnknownEffect(Schema.toCodecJson(schema))
  return Effect.flatMap(data, (value) =>
    Effect.mapError(
      decode(value ?? null),
      (error) =>
        ApiAnswer.failure(method, answer, new Undecodable({ status: answer.status, path: pathOf(error, answer) }))
    ))
}
