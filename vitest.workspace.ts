import { defineConfig } from "vitest/config"

const project = (name: string, root: string, include = "test/**/*.test.ts") => ({
  test: { name, root, include: [include], testTimeout: 30_000 }
})

// Vitest has no workspace file of its own any more: this one is passed with --config.
export default defineConfig({
  test: {
    projects: [
      project("oauth", "packages/oauth"),
      project("workload-identity", "packages/workload-identity"),
      project("client", "packages/client"),
      project("api-client", "packages/api-client"),
      project("testing", "packages/testing"),
      project("coze-issuer", "packages/coze-issuer"),
      project("token-server", "packages/token-server"),
      project("bench", "bench", "**/*.test.ts"),
      project("examples", "examples", "*.test.ts")
    ]
  }
})
