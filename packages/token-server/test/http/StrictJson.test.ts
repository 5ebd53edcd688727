import * as StrictJson from "@effect-identity/token-server/internal/http/StrictJson"
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as fc from "fast-check"

const read = (text: string) => StrictJson.read(new TextEncoder().encode(text))

/** `__proto__` is refused for itself. */
const key = fc.oneof(fc.string(), fc.constantFrom("a", "{", "}", "[", ":", "\"", "\\", "\\\"", "a:{\"b\"", "__proto_"))
  .filter((name) => name !== "__proto__")

const object = fc.dictionary(key, fc.jsonValue({ maxDepth: 4 }), { noNullPrototype: true }).filter((value) =>
  !JSON.stringify(value).includes("__proto__")
)

/** Every character of a key as an escape. */
const escaped = (text: string) =>
  `"${
    [...text].flatMap((each) => each.split("")).map((each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, "0")}`)
      .join("")
  }"`

describe("strict JSON", () => {
  it("is all that JSON.stringify writes, whatever is in its texts", () => {
    fc.assert(fc.property(object, fc.constantFrom(undefined, 2), (value, indent) => {
      const text = JSON.stringify([value], undefined, indent)
      assert.strictEqual(Result.getOrUndefined(read(text)), text)
    }))
  })

  it("has no field twice in an object, however it is written and wherever it stands", () => {
    fc.assert(fc.property(object, object, key, fc.boolean(), (outer, inner, name, isEscaped) => {
      const members = JSON.stringify({ ...inner, [name]: 1 }).slice(1, -1)
      const twice = `{${members},${isEscaped ? escaped(name) : JSON.stringify(name)}:2}`
      const text = `[${JSON.stringify(outer)},{"x":${twice}}]`
      assert.strictEqual(Result.getOrUndefined(Result.flip(read(text))), "must not have a field twice")
    }))
  })

  it("is judged without failing, whatever it is", () => {
    const noise = fc.string({ unit: fc.constantFrom("{", "}", "[", "]", ":", ",", "\"", "\\", "a", "1", "\ud800") })
    fc.assert(fc.property(noise, (text) => {
      const isRead = Result.isSuccess(read(text))
      const isJson = Result.isSuccess(Result.try((): unknown => JSON.parse(text)))
      assert.isTrue(isJson || !isRead)
    }))
    fc.assert(fc.property(fc.uint8Array(), (bytes) => {
      StrictJson.read(bytes)
    }))
  })

  it("is at most 32 levels deep", () => {
    fc.assert(fc.property(fc.array(fc.constantFrom("[", "{\"a\":"), { maxLength: 60 }), (openings) => {
      const closings = openings.toReversed().map((opening) => opening === "[" ? "]" : "}").join("")
      assert.strictEqual(Result.isSuccess(read(`${openings.join("")}1${closings}`)), openings.length <= 32)
    }))
  })
})
