import { ApiKeys, Environment } from "@effect-identity/coze-issuer"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fc from "fast-check"
import { digest } from "./Entry.ts"

const presented = "a-key-of-a-caller-83c1e0"
const right = digest(presented)

/** The digest with another digit at one place. */
const altered = (place: number): string =>
  right.slice(0, place) + (right[place] === "0" ? "1" : "0") + right.slice(place + 1)

describe("ApiKeys", () => {
  it.effect("knows a key by the whole of its digest, in either case, wherever it stands", () =>
    Effect.gen(function*() {
      const others = Array.from(right, (_, place) => ({ name: `other-${place}`, digest: altered(place) }))
      assert.isUndefined(yield* ApiKeys.find(others, presented))
      for (const known of [right, right.toUpperCase()]) {
        const key = { name: "right", digest: known }
        for (const keys of [[key, ...others], [...others, key]]) {
          assert.strictEqual((yield* ApiKeys.find(keys, presented))?.name, "right")
        }
      }
      assert.isUndefined(yield* ApiKeys.find([{ name: "right", digest: right }], right))
      assert.isUndefined(
        yield* ApiKeys.find([{ name: "short", digest: right.slice(2) }, { name: "none", digest: "" }], presented)
      )
      assert.isUndefined(yield* ApiKeys.find([], presented))
    }))

  it("reads what is a list of digests and nothing else, and never shows what it is not", async () => {
    const issuesOf = async (CALLER_API_KEYS: string) => {
      const { issues } = await Effect.runPromise(Effect.flip(Environment.read({ CALLER_API_KEYS })))
      return issues.filter(({ name }) => name === "CALLER_API_KEYS").map(({ rule }) => rule)
    }
    const rule = "must be entries name:sha256 or name:sha256:sessions, commas between, sha256 in hexadecimal"
    for (
      const good of [`a:${right}`, `a:${right}:sessions,b.c-d:${right.toUpperCase()}\n`, ` a:${right} , b:${right}`]
    ) {
      assert.deepStrictEqual(await issuesOf(good), [])
    }
    for (
      const bad of [
        right,
        presented,
        `a:${presented}`,
        `:${right}`,
        `a:${right.slice(1)}`,
        `a:${right}0`,
        `a:${right}:session`,
        `a:${right};b:${right}`,
        `a:${right},b`,
        ", ,"
      ]
    ) assert.deepStrictEqual(await issuesOf(bad), [rule])
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: "binary", minLength: 1 }).filter((text) => text.trim() !== ""),
        async (text) => {
          assert.deepStrictEqual(await issuesOf(text), [rule])
        }
      )
    )
  })
})
