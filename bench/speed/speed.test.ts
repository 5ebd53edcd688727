import { assert, describe, it } from "@effect/vitest"
import * as Readme from "./Readme.ts"
import type { Row } from "./Row.ts"
import * as Show from "./Show.ts"
import * as Statistics from "./Statistics.ts"
import * as Table from "./Table.ts"
import * as Turns from "./Turns.ts"

describe("Statistics", () => {
  it("takes the middle, or what is between the two in the middle", () => {
    assert.strictEqual(Statistics.median([9, 1, 2]), 2)
    assert.strictEqual(Statistics.median([4, 1, 2, 9]), 3)
    assert.isNaN(Statistics.median([]))
  })

  it("takes the middle of each number of figures", () => {
    assert.deepEqual(Statistics.medians([{ ms: 1, failures: 0 }, { ms: 3, failures: 0 }, { ms: 2, failures: 5 }]), {
      ms: 2,
      failures: 0
    })
  })

  it("compares what was measured in the same turn", () => {
    assert.strictEqual(Statistics.medianDifference([12, 105, 13], [10, 100, 10]), 3)
  })
})

describe("Turns", () => {
  it("takes everyone once before anyone twice", async () => {
    const taken: Array<string> = []
    const measures = { a: async () => taken.push("a"), b: async () => taken.push("b") }
    assert.deepEqual(await Turns.take(2, measures), { a: [1, 3], b: [2, 4] })
    assert.deepEqual(taken, ["a", "b", "a", "b"])
  })
})

describe("Show", () => {
  it("never shows less than was measured", () => {
    assert.strictEqual(Show.ratio(1.001), "1.01 ×")
    assert.strictEqual(Show.ratio(1.1), "1.10 ×")
    assert.strictEqual(Show.kilobytes(36_001), "36.1 kB")
    assert.strictEqual(Show.millis(2.04), "2.1 ms")
    assert.strictEqual(Show.mebibytes(0.251), "0.26 MiB")
  })

  it("counts one request in the singular", () => {
    assert.strictEqual(Show.count(1, "request"), "1 request")
    assert.strictEqual(Show.count(10_000, "request"), "10,000 requests")
  })
})

const row: Row = {
  id: "import",
  title: "import",
  targets: [{ of: "ms", atMost: 2 }, { of: "failures", atMost: 0 }],
  mustReach: "2 ms",
  order: "ms",
  show: ({ ms = Number.NaN }) => `${ms} ms`
}

describe("Table", () => {
  it("shows who does as well, from the best to the worst, beside this and what is written by hand", () => {
    const figures = { slow: { ms: 40 }, "by hand": { ms: 1 }, this: { ms: 2, failures: 0 }, quick: { ms: 3 } }
    assert.strictEqual(
      Table.make([row], { import: figures }, { import: "never told" }),
      [
        "|  | **this** | at most | by hand | others |",
        "| --- | --- | --- | --- | --- |",
        "| import | **2 ms** | 2 ms | 1 ms | quick 3 ms; slow 40 ms |"
      ].join("\n")
    )
  })

  it("says that a row misses, and why", () => {
    const table = Table.make([row], { import: { this: { ms: 3, failures: 0 } } }, { import: "It is large." })
    assert.include(table, "| import | 3 ms: missed | 2 ms | – | – |")
    assert.include(table, "Missed: import. It is large.")
  })

  it("lets nothing hold that was not measured", () => {
    assert.isFalse(Table.holds(row, { this: { ms: 1 } }))
    assert.isFalse(Table.holds(row, {}))
    assert.isTrue(Table.holds(row, { this: { ms: 1, failures: 0 } }))
  })

  it("leaves out rows that were not measured", () => {
    assert.notInclude(Table.make([row], {}, {}), "import")
  })
})

describe("Readme", () => {
  it("puts the table between the marks and keeps what is around them", () => {
    const page = "before\n<!-- speed -->\nold\n<!-- /speed -->\nafter"
    assert.strictEqual(
      Readme.withBetweenMarks(page, "new"),
      "before\n<!-- speed -->\n\nnew\n\n<!-- /speed -->\nafter"
    )
  })

  it("leaves a page without marks as it is", () => {
    assert.strictEqual(Readme.withBetweenMarks("a page", "new"), "a page")
  })
})
