import { Presets, Realm } from "@effect-identity/token-server"
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"

const page = readFileSync(join(import.meta.dirname, "../../../docs/realms.md"), "utf8")

const blocks = Array.from(page.matchAll(/```json\n([\s\S]*?)```/g), ([, code = ""]): unknown => JSON.parse(code))

describe("the page about realms", () => {
  it("shows realms that are taken as they are", () => {
    assert.isAtLeast(blocks.length, 4)
    for (const block of blocks) assert.deepStrictEqual(Result.getFailure(Realm.decode(block))._tag, "None")
  })

  it("names every preset", () => {
    for (const name of Object.keys(Presets.presets)) assert.include(page, `| \`${name}\``)
  })
})
