import { defineConfig } from "vitest/config"

const limits = { testTimeout: 60_000, hookTimeout: 60_000 }

// What needs programs that no package brings. `pnpm test:system` installs them first, where it may.
export default defineConfig({
  test: {
    projects: [
      { test: { name: "system", root: "system", include: ["**/*.test.ts"], fileParallelism: false, ...limits } },
      {
        test: {
          name: "token-server on PostgreSQL",
          root: "packages/token-server",
          include: ["test/**/*.test.ts"],
          globalSetup: ["../../system/PostgresForTests.ts"],
          // After the others, which measure time: these may take every processor.
          sequence: { groupOrder: 1 },
          ...limits
        }
      }
    ]
  }
})
