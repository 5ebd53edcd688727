import { defineConfig } from "vitest/config"

/** The tests of the facade, against what is published of it. */
export default defineConfig({
  resolve: { conditions: ["bundled"] },
  ssr: { resolve: { conditions: ["bundled"], externalConditions: ["bundled"] } },
  test: { name: "client, bundled", root: "packages/client", include: ["test/**/*.test.ts"], testTimeout: 30_000 }
})
