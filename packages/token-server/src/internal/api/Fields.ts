/**
 * Fields that several requests share, and the rules for them.
 */
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"

const numberRule = (minimum: number, maximum: number) => `must be a whole number from ${minimum} to ${maximum}`

/** A whole number between two others. */
export const wholeNumber = (minimum: number, maximum: number) => {
  const message = numberRule(minimum, maximum)
  return Schema.Number.annotate({ message }).check(
    Schema.makeFilter((value) => Number.isInteger(value) && value >= minimum && value <= maximum ? undefined : message)
  )
}

/** Its digits, as a query has them: no sign, no exponent, no blank. */
export const digits = (minimum: number, maximum: number) => {
  const message = numberRule(minimum, maximum)
  return Schema.String.annotate({ message }).check(Schema.isPattern(/^\d{1,16}$/, { message })).pipe(
    Schema.decodeTo(
      wholeNumber(minimum, maximum),
      SchemaTransformation.transform({ decode: Number, encode: String })
    )
  )
}

const idRule = (maximum: number) =>
  `must be 1 to ${maximum} letters, digits, dots, dashes and underscores, the first a letter or digit, the last no dot or dash`

/** Needs no escapes in a path, and has no dot at an end. */
export const realmId = /^[A-Za-z\d](?:[\w.-]{0,48}\w)?$/

export const secretKey = /^[A-Za-z\d](?:[\w.-]{0,198}\w)?$/

export const RealmId = Schema.String.check(Schema.isPattern(realmId, { message: idRule(50) }))

export const SecretKey = Schema.String.check(Schema.isPattern(secretKey, { message: idRule(200) }))

/** What a key of the API is called in lists. */
export const KeyName = Schema.String.check(
  Schema.isPattern(/^\P{Cc}{1,100}$/u, { message: "must be 1 to 100 characters, none of them a control character" })
)

/** The longest life of a token that anyone may ask for: a year, in milliseconds. */
export const longestLife = 366 * 24 * 60 * 60 * 1000

export const text = (maximum: number) =>
  Schema.String.check(Schema.isMaxLength(maximum, { message: `must be at most ${maximum} characters` }))

/** Which part of a list. */
export const paging = {
  page: Schema.optionalKey(digits(1, 1_000_000)),
  pageSize: Schema.optionalKey(digits(1, 100))
}

/** A flag in a query: as the original server has it, only the text `true` sets it. */
export const Flag = Schema.Literals(["true", "false"]).annotate({ message: "must be true or false" })

/** A list as the original server answers it. */
export const listOf = <A extends Schema.Top>(item: A) =>
  Schema.Struct({
    data: Schema.Struct({ list: Schema.Array(item), total: Schema.Int }),
    success: Schema.Literal("ok")
  })
