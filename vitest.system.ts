import { defineConfig } from "vitest/config"

// What needs programs that no package brings. `pnpm test:system` installs them first, where it may.
export default defineConfig({
  test: {
    name: "system",
    root: "system",
    include: ["*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    fileParallelism: false
  }
})
