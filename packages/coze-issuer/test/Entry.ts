/**
 * The two entries of the issuer, each as its users run it: the server on Node over a socket, and the bundle in workerd.
 */
import { NodeIssuer } from "@effect-identity/coze-issuer/node"
import { SpanRecorder } from "@effect-identity/testing"
import { ConfigProvider, Context, Data, Effect, Layer, Logger, References, type Scope } from "effect"
import { HttpServer } from "effect/http"
import { Miniflare } from "miniflare"
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import type { Readable } from "node:stream"
import { inspect } from "node:util"
import * as WorkerBundle from "../../../scripts/WorkerBundle.ts"

export type Env = Readonly<Record<string, string>>

/** An issuer that runs. */
export interface Running {
  readonly origin: string
  /** What it has written so far; on Node also what it writes when all levels are on, and what it tells a tracer. */
  readonly output: () => string
}

/** It did not start, or answers nothing but that it is not configured; `output` is what its operator sees. */
export class Refused extends Data.TaggedError("Refused")<{ readonly output: string }> {}

export interface Entry {
  readonly name: "Node" | "workerd"
  readonly start: (env: Env) => Effect.Effect<Running, Refused, Scope.Scope>
}

const node: Entry = {
  name: "Node",
  start: Effect.fnUntraced(function*(env) {
    const lines: Array<string> = []
    const { spans, tracer } = SpanRecorder.make()
    const context = yield* Layer.build(NodeIssuer.layer).pipe(
      Effect.withTracer(tracer),
      Effect.provideService(References.MinimumLogLevel, "Trace"),
      Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromUnknown({ PORT: "0", ...env })),
      Effect.provide(Logger.layer([Logger.make((entry) => lines.push(Logger.formatLogFmt.log(entry)))])),
      Effect.mapError((error) => new Refused({ output: error.message }))
    )
    const { address } = Context.get(context, HttpServer.HttpServer)
    const told = () => spans.map(({ attributes, name, status }) => inspect({ name, status, attributes }, { depth: 8 }))
    return { origin: HttpServer.formatAddress(address), output: () => [...lines, ...told()].join("\n") }
  })
}

const bundle = Effect.runSync(Effect.cached(
  Effect.promise(() => WorkerBundle.make(join(import.meta.dirname, "../src/worker.ts")))
))

/** What the Worker is deployed with, comments left out. */
export const wrangler: Readonly<Record<string, unknown>> & { readonly compatibility_date: string } = JSON.parse(
  readFileSync(join(import.meta.dirname, "../wrangler.jsonc"), "utf8").replaceAll(/^\s*\/\/.*$/gm, "")
)

const workerd: Entry = {
  name: "workerd",
  start: Effect.fnUntraced(function*(env) {
    const { code } = yield* bundle
    const lines: Array<string> = []
    const worker = yield* Effect.acquireRelease(
      Effect.sync(() =>
        new Miniflare({
          modules: true,
          script: code,
          compatibilityDate: wrangler.compatibility_date,
          bindings: { ...env },
          handleRuntimeStdio: (stdout: Readable, stderr: Readable) => {
            for (const stream of [stdout, stderr]) stream.on("data", (chunk: unknown) => lines.push(String(chunk)))
          }
        })
      ),
      (worker) => Effect.promise(() => worker.dispose())
    )
    const { origin } = yield* Effect.promise(() => worker.ready)
    const health = yield* Effect.promise(() => fetch(`${origin}/v1/health`))
    if (health.status !== 200) {
      const answer = yield* Effect.promise(() => health.text())
      return yield* new Refused({ output: `${health.status} ${answer}\n${lines.join("\n")}` })
    }
    return { origin, output: () => lines.join("\n") }
  })
}

export const entries: ReadonlyArray<Entry> = [node, workerd]

/** Callers that the tests know, by what they may do. */
export const keys = {
  any: "any-session-key-7f3a9b1c5d24e6",
  none: "no-session-key-e41c77aa02b9f8"
}

export const digest = (key: string): string => createHash("sha256").update(key).digest("hex")

export const callers: Env = {
  CALLER_API_KEYS: `web:${digest(keys.any)}:sessions, batch:${digest(keys.none)}`
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly body: Readonly<Record<string, unknown>>
}

export const tokenOf = ({ body }: Pick<Answer, "body">): string => String(body["access_token"])

/** Asks over the socket. */
export const ask = (url: string, init: RequestInit = {}): Effect.Effect<Answer> =>
  Effect.promise(async (signal) => {
    const { headers, status, ...response } = await fetch(url, { method: "POST", signal, ...init }).then(
      async (response) => ({ headers: response.headers, status: response.status, text: await response.text() })
    )
    return { status, headers, text: response.text, body: response.text === "" ? {} : JSON.parse(response.text) }
  })

export const as = (key: string, headers: Readonly<Record<string, string>> = {}): RequestInit => ({
  headers: { authorization: `Bearer ${key}`, ...headers }
})

export const wanting = (key: string, body: unknown): RequestInit => ({
  ...as(key, { "content-type": "application/json" }),
  body: typeof body === "string" ? body : JSON.stringify(body)
})
