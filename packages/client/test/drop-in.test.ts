/**
 * The programs of the page that documents `@coze/workload-identity`, by section, with the import path changed and
 * nothing else. Each runs as a process of its own, as a module and as CommonJS, against a platform and a third party on
 * loopback.
 */
import { ConnectProxy, Platform } from "@effect-identity/testing"
import * as CertificateAuthority from "@effect-identity/testing/CertificateAuthority"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, ManagedRuntime, Scope } from "effect"
import { execFile } from "node:child_process"
import { mkdirSync, writeFileSync } from "node:fs"
import * as Https from "node:https"
import { join } from "node:path"
import { promisify } from "node:util"

interface Program {
  readonly section: string
  readonly imports: string
  readonly code: string
  /** What shows that it did what the page says. */
  readonly check: string
}

const programs: ReadonlyArray<Program> = [
  {
    section: "获取 Access Token",
    imports: "Client",
    code: `
      const client = new Client();
      try {
        const token = await client.getAccessToken();
        console.log(token);
      } finally {
        await client.close();
      }`,
    check: ""
  },
  {
    section: "使用环境变量常量",
    imports: "envKeys",
    code: "const lane = process.env[envKeys.COZE_SERVER_ENV] ?? envKeys.DEFAULT_COZE_SERVER_ENV;",
    check: "console.log(lane === 'NONE' ? 'access-token- not needed' : lane)"
  },
  {
    section: "client.getProjectEnvVars()",
    imports: "Client",
    code: `
      const client = new Client({ timeoutMs: 30000 });
      const envVars = await client.getProjectEnvVars();
      for (const v of envVars) {
        console.log(v.key, v.value);
      }
      const apiKey = envVars.get('API_KEY');
      const required = envVars.getOrThrow('DB_URL');
      if (envVars.has('API_KEY')) { /* ... */ }
      const record = envVars.toRecord();`,
    check: `
      const expected = { API_KEY: 'key', DB_URL: 'postgres' };
      if (JSON.stringify(record) !== JSON.stringify(expected)) throw new Error(JSON.stringify(record));
      if (apiKey !== 'key' || required !== 'postgres' || envVars.size !== 2) throw new Error('look-ups');
      if (envVars.get('NONE') !== undefined || envVars.get('NONE', 'default') !== 'default') throw new Error('get');
      console.log('access-token- not shown')`
  },
  {
    section: "client.getIntegrationCredential(name)",
    imports: "Client",
    code: "const credential = await new Client().getIntegrationCredential('integration-email-imap-smtp');",
    check: "if (credential !== 'mail-credential') throw new Error('credential'); console.log('access-token- not shown')"
  },
  {
    section: "代理配置",
    imports: "createHttpClient, http, httpsProxy, caBundlePath",
    code: `
      const res1 = await http.get('https://api.example.com/health');
      const client = createHttpClient({ timeoutMs: 10_000 });
      let res2;
      try {
        res2 = await client.post('https://api.example.com/echo', {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: JSON.stringify({ hello: 'world' }),
        });
      } finally {
        await client.close();
      }
      const proxyUrl = httpsProxy();
      const caPath = caBundlePath();`,
    check: `
      if (res1.status !== 200 || await res2.text() !== '{"hello":"world"}') throw new Error('answers');
      if (!proxyUrl.includes('//space:drop-in-ticket@') || typeof caPath !== 'string') throw new Error('helpers');
      console.log('access-token- not needed')`
  },
  {
    section: "异常",
    imports: "Client, ConfigurationError, TokenRetrievalError, TokenExchangeError, WorkloadIdentityError",
    code: `
      const found = [];
      const attempt = async () => {
        try {
          const client = new Client();
          await client.getAccessToken();
        } catch (e) {
          if (e instanceof ConfigurationError)    { found.push('configuration'); }
          else if (e instanceof TokenRetrievalError) { found.push('retrieval'); }
          else if (e instanceof TokenExchangeError)  { found.push('exchange'); }
          else if (e instanceof WorkloadIdentityError) { found.push('other'); }
          else throw e;
        }
      };
      process.env.COZE_WORKLOAD_IDENTITY_CLIENT_SECRET = 'wrong';
      await attempt();
      delete process.env.COZE_WORKLOAD_IDENTITY_CLIENT_SECRET;
      await attempt();`,
    check:
      "if (found.join() !== 'retrieval,configuration') throw new Error(found.join()); console.log('access-token- none')"
  },
  {
    section: "并发(Single-flight)",
    imports: "Client",
    code: `
      const client = new Client();
      const results = await Promise.all([
        client.getAccessToken(),
        client.getAccessToken(),
        client.getAccessToken(),
      ]);`,
    check: "if (new Set(results).size !== 1) throw new Error('three tokens'); console.log(results[0])"
  }
]

const sources = ({ check, code, imports }: Program) => ({
  mjs: `import { ${imports} } from '@effect-identity/client';\n${code}\n${check}`,
  cjs: `const { ${imports} } = require('@effect-identity/client');\n(async () => {\n${code}\n${check}\n})()`
})

// Inside the package, so that it is found by its own name.
const folder = join(import.meta.dirname, "../build/drop-in")

let stop: () => Promise<void>
let env: Readonly<Record<string, string>>
let platform: Platform.Platform["Service"]

beforeAll(async () => {
  mkdirSync(folder, { recursive: true })
  const scope = await Effect.runPromise(Scope.make())
  const authority = await Effect.runPromise(CertificateAuthority.make)
  const thirdParty = Https.createServer(
    await Effect.runPromise(authority.issue(["api.example.com"])),
    (request, response) => request.pipe(response)
  )
  const port = await new Promise<number>((resolve) => {
    thirdParty.listen(0, "127.0.0.1", () => {
      const address = thirdParty.address()
      resolve(typeof address === "object" && address !== null ? address.port : 0)
    })
  })
  const proxy = await Effect.runPromise(Scope.provide(
    ConnectProxy.make({
      credentials: { user: "space", password: "drop-in-ticket" },
      standIns: { "api.example.com:443": port }
    }),
    scope
  ))
  const runtime = ManagedRuntime.make(Layer.fresh(Platform.layer({
    credentials: { "integration-email-imap-smtp": "mail-credential" },
    variables: [{ key: "API_KEY", value: "key" }, { key: "DB_URL", value: "postgres" }]
  })))
  platform = await runtime.runPromise(Platform.Platform)
  env = {
    ...platform.env,
    COZE_OUTBOUND_AUTH_PROXY: proxy.url,
    identity_ticket: "drop-in-ticket",
    COZE_OUTBOUND_AUTH_PROXY_CA: authority.cert
  }
  stop = async () => {
    await runtime.dispose()
    await Effect.runPromise(Scope.close(scope, Exit.void))
    thirdParty.closeAllConnections()
    thirdParty.close()
  }
})

afterAll(() => stop())

for (const program of programs) {
  describe(program.section, () => {
    for (const [kind, source] of Object.entries(sources(program))) {
      it(`works as .${kind} when the import path is swapped`, async () => {
        const before = (await Effect.runPromise(platform.requests)).length
        const path = join(folder, `program.${kind}`)
        writeFileSync(path, source)
        const { stderr, stdout } = await promisify(execFile)(process.execPath, ["--no-warnings", path], {
          env: { ...process.env, ...env },
          timeout: 20_000
        })
        assert.strictEqual(stderr, "")
        assert.include(stdout, "access-token-")
        const asked = (await Effect.runPromise(platform.requests)).length - before
        assert.isAtMost(asked, 3, "upstream requests")
      })
    }
  })
}
