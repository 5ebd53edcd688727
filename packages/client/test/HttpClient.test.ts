import {
  caBundlePath,
  ConfigurationError,
  createHttpClient,
  envKeys,
  http,
  httpsProxy,
  WorkloadIdentityError
} from "@effect-identity/client"
import { ConnectProxy, SecretSweep } from "@effect-identity/testing"
import * as CertificateAuthority from "@effect-identity/testing/CertificateAuthority"
import { afterEach, assert, beforeEach, describe, it, vi } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { execFile } from "node:child_process"
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import * as Http from "node:http"
import * as Https from "node:https"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { promisify } from "node:util"
import { gzipSync } from "node:zlib"

const ticket = "facade-ticket-5e1c77"

interface Seen {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: Http.IncomingHttpHeaders
  readonly body: string
}

let scope: Scope.Closeable
let authority: CertificateAuthority.CertificateAuthority
let proxy: ConnectProxy.ConnectProxy
let origin: { readonly url: string; readonly seen: Array<Seen> }
let stopOrigin: () => void
let answer: (seen: Seen, response: Http.ServerResponse) => void

const listen = (server: Http.Server | Https.Server) =>
  new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      resolve(typeof address === "object" && address !== null ? address.port : 0)
    })
  })

beforeEach(async () => {
  scope = await Effect.runPromise(Scope.make())
  authority = await Effect.runPromise(CertificateAuthority.make)
  proxy = await Effect.runPromise(
    Scope.provide(ConnectProxy.make({ credentials: { user: "space", password: ticket } }), scope)
  )
  answer = (_, response) => response.end("hello")
  const seen: Array<Seen> = []
  const server = Https.createServer(await Effect.runPromise(authority.issue(["localhost"])), (request, response) => {
    let body = ""
    request.setEncoding("utf8").on("data", (chunk) => {
      body += chunk
    }).on("end", () => {
      const { headers, method, url } = request
      seen.push({ method, url, headers, body })
      answer({ method, url, headers, body }, response)
    })
  })
  origin = { url: `https://localhost:${await listen(server)}`, seen }
  stopOrigin = () => {
    server.closeAllConnections()
    server.close()
  }
  vi.stubEnv(envKeys.COZE_OUTBOUND_AUTH_PROXY, proxy.url)
  vi.stubEnv(envKeys.identity_ticket, ticket)
  vi.stubEnv(envKeys.COZE_OUTBOUND_AUTH_PROXY_CA, authority.cert)
  vi.stubEnv(envKeys.COZE_OUTBOUND_AUTH_PROXY_CA_PATH, undefined)
})

afterEach(async () => {
  await http.close()
  stopOrigin()
  await Effect.runPromise(Scope.close(scope, Exit.void))
  vi.unstubAllEnvs()
})

const rejection = async (promise: Promise<unknown>): Promise<unknown> => {
  try {
    await promise
  } catch (error) {
    return error
  }
  return assert.fail("should have been rejected")
}

describe("http", () => {
  it("sends through the proxy what fetch would send, and answers a Response", async () => {
    const response = await http.post(`${origin.url}/echo?q=1`, {
      headers: { "Content-Type": "application/json", "X-Own": "1" },
      body: JSON.stringify({ hello: "world" })
    })
    assert.instanceOf(response, Response)
    assert.strictEqual(response.status, 200)
    assert.strictEqual(await response.text(), "hello")
    const [seen] = origin.seen
    assert.deepStrictEqual([seen?.method, seen?.url, seen?.body], ["POST", "/echo?q=1", "{\"hello\":\"world\"}"])
    assert.strictEqual(seen?.headers["content-type"], "application/json")
    assert.strictEqual(seen?.headers["x-own"], "1")
    assert.isUndefined(seen?.headers["proxy-authorization"])
    assert.isUndefined(seen?.headers["x-tt-env"])
    assert.lengthOf(proxy.tunnels, 1)
  })

  it("has a function for each method", async () => {
    for (const name of ["get", "put", "patch", "delete", "options"] as const) {
      assert.strictEqual((await http[name](origin.url)).status, 200)
    }
    const head = await http.head(origin.url)
    assert.strictEqual(await head.text(), "")
    assert.deepStrictEqual(origin.seen.map(({ method }) => method), [
      "GET",
      "PUT",
      "PATCH",
      "DELETE",
      "OPTIONS",
      "HEAD"
    ])
    assert.strictEqual(
      (await http.request(origin.url, { method: "POST", body: new URLSearchParams({ a: "1" }) })).status,
      200
    )
    assert.strictEqual(origin.seen.at(-1)?.body, "a=1")
  })

  it("connects directly when no proxy is set, with the certificates", async () => {
    vi.stubEnv(envKeys.COZE_OUTBOUND_AUTH_PROXY, undefined)
    const client = createHttpClient({ timeoutMs: 10_000 })
    assert.strictEqual(await (await client.get(origin.url)).text(), "hello")
    assert.lengthOf(proxy.tunnels, 0)
    await client.close()
    assert.strictEqual(await (await client.get(origin.url)).text(), "hello", "requests after close still work")
    await client.close()
  })

  it("adds the certificates to those that Node trusts anyway", async () => {
    const other = await Effect.runPromise(CertificateAuthority.make)
    const folder = mkdtempSync(join(tmpdir(), "default-"))
    const trusted = join(folder, "trusted.pem")
    writeFileSync(trusted, authority.cert)
    const program = `
      import { http } from "@effect-identity/client"
      console.log(await (await http.get("${origin.url}")).text())
    `
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program], {
      cwd: import.meta.dirname,
      env: { ...process.env, NODE_EXTRA_CA_CERTS: trusted, COZE_OUTBOUND_AUTH_PROXY_CA: other.cert }
    })
    rmSync(folder, { recursive: true })
    assert.strictEqual(stdout.trim(), "hello")
  })

  it("follows redirects as fetch does, and can be told not to", async () => {
    answer = ({ url }, response) => {
      if (url === "/moved") response.writeHead(302, { location: "/there" }).end()
      else if (url === "/again") response.writeHead(307, { location: "/there" }).end()
      else response.end("hello")
    }
    const init = { body: "text", headers: { authorization: "Bearer own" } }
    await http.post(`${origin.url}/moved`, init)
    await http.post(`${origin.url}/again`, init)
    const there = origin.seen.filter(({ url }) => url === "/there")
    assert.deepStrictEqual(there.map(({ body, headers, method }) => [method, body, headers.authorization]), [
      ["GET", "", "Bearer own"],
      ["POST", "text", "Bearer own"]
    ])
    assert.strictEqual((await http.get(`${origin.url}/moved`, { redirect: "manual" })).status, 302)
    assert.instanceOf(await rejection(http.get(`${origin.url}/moved`, { redirect: "error" })), TypeError)
    answer = (_, response) => response.writeHead(302, { location: "/for/ever" }).end()
    assert.instanceOf(await rejection(http.get(origin.url)), TypeError)
  })

  it("keeps credentials from another origin that a redirect leads to", async () => {
    let strayed: Http.IncomingHttpHeaders | undefined
    const other = Http.createServer((request, response) => {
      strayed = request.headers
      response.end("other")
    })
    const port = await listen(other)
    answer = (_, response) => response.writeHead(307, { location: `http://127.0.0.1:${port}/` }).end()
    await http.get(origin.url, { headers: { authorization: "Bearer own", cookie: "a=1", "x-own": "1" } })
    other.close()
    assert.strictEqual(strayed?.["x-own"], "1")
    assert.isUndefined(strayed?.authorization)
    assert.isUndefined(strayed?.cookie)
  })

  it("decodes what is compressed", async () => {
    answer = (_, response) => response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync("compressed"))
    const response = await http.get(origin.url)
    assert.strictEqual(await response.text(), "compressed")
    assert.isNull(response.headers.get("content-encoding"))
  })

  it("rejects with the reason of its signal", async () => {
    answer = () => {}
    const reason = new Error("enough")
    const controller = new AbortController()
    const waiting = rejection(http.get(origin.url, { signal: controller.signal }))
    await vi.waitUntil(() => origin.seen.length === 1)
    controller.abort(reason)
    assert.strictEqual(await waiting, reason)
  })

  it("gives up after timeoutMs", async () => {
    answer = () => {}
    const error = await rejection(createHttpClient({ timeoutMs: 100 }).get(origin.url))
    assert.instanceOf(error, WorkloadIdentityError)
    assert.deepStrictEqual([error.step, error.reason, error.detail, error.retryable], [
      "http",
      "Timeout",
      "total",
      true
    ])
  })

  it("says why an answer ends before its end: out of time, cut off, or no more wanted", async () => {
    const begun: Array<Http.ServerResponse> = []
    answer = (_, response) => {
      begun.push(response)
      response.writeHead(200, { "content-length": "10" }).write("hello")
    }
    const ending = async (end: () => void, timeoutMs?: number, signal: AbortSignal | null = null) => {
      const response = await createHttpClient({ timeoutMs }).get(origin.url, { signal })
      end()
      return rejection(response.text())
    }
    const late = await ending(() => {}, 1500)
    assert.instanceOf(late, WorkloadIdentityError)
    assert.deepStrictEqual([late.step, late.reason, late.detail, late.retryable], ["http", "Timeout", "total", true])
    const cut = await ending(() => begun.at(-1)?.socket?.destroy())
    assert.instanceOf(cut, WorkloadIdentityError)
    assert.deepStrictEqual([cut.step, cut.reason, cut.detail, cut.retryable], ["http", "Transport", "reset", true])
    const reason = new Error("enough")
    const controller = new AbortController()
    assert.strictEqual(await ending(() => controller.abort(reason), undefined, controller.signal), reason)
  })

  it("does not wait for more than an answer that switches protocols", async () => {
    answer = (_, { socket }) =>
      socket?.write("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n")
    const error = await rejection(createHttpClient({ timeoutMs: 20_000 }).get(origin.url))
    assert.instanceOf(error, WorkloadIdentityError)
    assert.deepStrictEqual([error.step, error.reason, error.detail], ["http", "Transport", "reset"])
  })

  for (
    const [status, detail] of [[407, "authentication"], [403, "status"], [503, "status"]] as const
  ) {
    it(`names a proxy that answers ${status}, shows no ticket and does not go around it`, async () => {
      proxy.behave(status)
      const error = await rejection(http.get(origin.url))
      assert.instanceOf(error, WorkloadIdentityError)
      assert.deepStrictEqual([error.step, error.reason, error.detail, error.httpStatus], [
        "http",
        "Proxy",
        detail,
        status
      ])
      assert.deepStrictEqual(SecretSweep.find(error, { ticket }), [])
      assert.lengthOf(origin.seen, 0)
    })
  }

  it("rejects a request that is not valid without quoting it", async () => {
    const token = "header-token-71f0ac"
    const client = createHttpClient()
    for (
      const waiting of [
        client.get(origin.url, { headers: { authorization: `Bearer ${token}\nx` } }),
        client.get(`https://user:${token}@localhost/`),
        client.get(`not a url ${token}`)
      ]
    ) {
      const error = await rejection(waiting)
      assert.instanceOf(error, TypeError)
      assert.deepStrictEqual(SecretSweep.find(error, { token }), [])
    }
    assert.lengthOf(origin.seen, 0)
  })

  it("throws what is wrong with the environment and with its options", () => {
    assert.throws(() => createHttpClient({ timeoutMs: 0 }), "timeoutMs")
    vi.stubEnv(envKeys.identity_ticket, undefined)
    assert.throws(() => createHttpClient(), ConfigurationError, "identity_ticket")
    vi.stubEnv(envKeys.COZE_OUTBOUND_AUTH_PROXY_CA, "garbage")
    assert.throws(() => createHttpClient(), ConfigurationError, "COZE_OUTBOUND_AUTH_PROXY_CA")
  })
})

describe("httpsProxy", () => {
  it("gives the URL with the ticket percent-encoded, null without a proxy, and names a missing ticket", () => {
    vi.stubEnv(envKeys.identity_ticket, "a b/@")
    assert.strictEqual(httpsProxy(), `${proxy.url.replace("//", "//space:a%20b%2F%40@")}/`)
    vi.stubEnv(envKeys.identity_ticket, " ")
    assert.throws(() => httpsProxy(), ConfigurationError, "identity_ticket")
    vi.stubEnv(envKeys.COZE_OUTBOUND_AUTH_PROXY, undefined)
    assert.isNull(httpsProxy())
  })
})

describe("caBundlePath", () => {
  it("gives the path that is set, or null, or names one that cannot be used", () => {
    const folder = mkdtempSync(join(tmpdir(), "ca-"))
    const path = join(folder, "ca.pem")
    writeFileSync(path, authority.cert)
    vi.stubEnv(envKeys.COZE_OUTBOUND_AUTH_PROXY_CA, undefined)
    assert.isNull(caBundlePath())
    vi.stubEnv(envKeys.COZE_OUTBOUND_AUTH_PROXY_CA_PATH, path)
    assert.strictEqual(caBundlePath(), path)
    rmSync(folder, { recursive: true })
    assert.throws(() => caBundlePath(), ConfigurationError, "COZE_OUTBOUND_AUTH_PROXY_CA_PATH")
  })

  it("writes certificates that are given as text to one private file", () => {
    const path = caBundlePath()
    assert.isNotNull(path)
    if (path === null) return
    assert.strictEqual(caBundlePath(), path)
    assert.strictEqual(readFileSync(path, "utf8").trim(), authority.cert.trim())
    assert.strictEqual(statSync(path).mode & 0o777, 0o600)
    assert.strictEqual(statSync(dirname(path)).mode & 0o777, 0o700)
  })

  /** Runs a program that asks for the file, in a temporary folder of its own, and tells what it left behind. */
  const run = async (ending: string, prepare: (folder: string) => void = () => {}) => {
    const folder = mkdtempSync(join(tmpdir(), "owner-"))
    prepare(folder)
    const program = `
      import { caBundlePath } from "@effect-identity/client"
      import { existsSync } from "node:fs"
      const path = caBundlePath()
      console.log("written", existsSync(path))
      ${ending}
    `
    const result = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program], {
      cwd: import.meta.dirname,
      env: { ...process.env, TMPDIR: folder }
    }).then(
      ({ stdout }) => ({ stdout, code: 0, signal: null }),
      ({ code, signal, stdout }) => ({ stdout, code, signal })
    )
    const left = existsSync(folder) ? readdirSync(folder) : []
    rmSync(folder, { recursive: true, force: true })
    return { ...result, left }
  }

  for (
    const [what, ending, code, signal] of [
      ["ends", "", 0, null],
      ["exits with a status", "process.exit(3)", 3, null],
      ["throws", "throw new Error('x')", 1, null],
      ["is interrupted", "process.kill(process.pid, 'SIGINT'); setInterval(() => {}, 1000)", null, "SIGINT"],
      ["is terminated", "process.kill(process.pid, 'SIGTERM'); setInterval(() => {}, 1000)", null, "SIGTERM"],
      ["loses its terminal", "process.kill(process.pid, 'SIGHUP'); setInterval(() => {}, 1000)", null, "SIGHUP"],
      [
        "handles the signal itself",
        "process.on('SIGTERM', () => { console.log('host', existsSync(path)); process.exit(7) });"
        + "process.kill(process.pid, 'SIGTERM'); setInterval(() => {}, 1000)",
        7,
        null
      ]
    ] as const
  ) {
    it(`F20: leaves no file when the process ${what}, and changes nothing else about it`, async () => {
      const result = await run(ending)
      assert.include(result.stdout, "written true")
      assert.deepStrictEqual(result.left, [])
      assert.deepStrictEqual([result.code, result.signal], [code, signal])
      if (code === 7) assert.include(result.stdout, "host true")
    })
  }

  it("F18: is not led astray by what was placed in the temporary directory before", async () => {
    const target = join(mkdtempSync(join(tmpdir(), "target-")), "untouched")
    writeFileSync(target, "untouched")
    const placed = ["effect-identity-", "effect-identity-ca.pem", "ca.pem"]
    const result = await run(
      "console.log(path, (await import('node:fs')).lstatSync(path).isFile())",
      (folder) => {
        for (const name of placed) symlinkSync(target, join(folder, name))
      }
    )
    assert.match(result.stdout, /effect-identity-\w{6}.ca\.pem true/)
    assert.deepStrictEqual(result.left.toSorted(), placed.toSorted(), "removes what it made and nothing else")
    assert.strictEqual(readFileSync(target, "utf8"), "untouched")
    rmSync(dirname(target), { recursive: true })
  })

  it("F19: names a temporary directory that cannot be written to, and connects all the same", async () => {
    const { COZE_OUTBOUND_AUTH_PROXY_CA = "" } = process.env
    vi.stubEnv("TMPDIR", "/nowhere/at/all")
    assert.throws(() => caBundlePath(), ConfigurationError, "COZE_OUTBOUND_AUTH_PROXY_CA could not be written")
    assert.notStrictEqual(COZE_OUTBOUND_AUTH_PROXY_CA, "")
    assert.strictEqual(await (await createHttpClient().get(origin.url)).text(), "hello")
  })

  it("F21: leaves at most its one private folder when the process is killed", async () => {
    const { left } = await run("process.kill(process.pid, 'SIGKILL'); setInterval(() => {}, 1000)")
    assert.isAtMost(left.length, 1)
  })

  it("F22: does not let a child remove the file of its parent", async () => {
    const { stdout } = await run(`
      import { execFileSync } from "node:child_process"
      execFileSync(process.execPath, ["-e", "process.exit(0)"])
      console.log("still there", existsSync(path))
    `)
    assert.include(stdout, "still there true")
  })
})
