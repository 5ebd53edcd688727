import { defineConfig } from "vitest/config"

// What `pnpm mutate` judges the tests of `packages/oauth` by. Random texts by the thousand would take it hours.
export default defineConfig({
  test: {
    root: "packages/oauth",
    include: ["test/**/*.test.ts"],
    exclude: ["test/differential.test.ts"],
    testTimeout: 10_000
  }
})
