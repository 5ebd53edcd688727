/**
 * The issuer as a Cloudflare Worker. Its bindings are its settings: see `Environment`. Bundled into one file for
 * `wrangler deploy`, without anything of Node.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Environment from "./Environment.ts"
import * as Engine from "./internal/Engine.ts"
import { fromProblem, Issuer, type Reply, toResponse } from "./Issuer.ts"
import { Problem } from "./Problem.ts"

type Answer = (request: Request, waitUntil: Engine.WaitUntil) => Promise<Reply>

const misconfigured = fromProblem(
  new Problem({ code: "server_misconfigured", detail: "the log of the issuer says why" })
)

const open = (env: Environment.Environment): Promise<Answer> =>
  Environment.read(env).pipe(
    Effect.flatMap(Engine.make),
    Effect.map(({ run }): Answer => (request, waitUntil) =>
      run(Issuer.use((issuer) => issuer.handle(request)), { waitUntil })
    ),
    Effect.catch((error) =>
      Effect.as(Effect.logError(error.message), (): Promise<Reply> => Promise.resolve(misconfigured))
    ),
    Effect.runPromise
  )

// One for the isolate, whose bindings never change; made on the first request, because nothing may be random before.
let issuer: Promise<Answer> | undefined

/**
 * The Worker.
 *
 * @stability unstable
 * @category entries
 * @since 0.1.0
 */
export default {
  async fetch(
    request: Request,
    env: Environment.Environment,
    context: { readonly waitUntil: (work: Promise<unknown>) => void }
  ): Promise<Response> {
    const current = issuer ??= open(env)
    const work = current.then((answer) => answer(request, (work) => context.waitUntil(work)))
    // Others may wait for what this request has begun, also when its own caller has gone.
    context.waitUntil(work)
    const reply = await work
    // A request that the runtime stopped has left behind what nobody ends: begin again.
    if (reply.code === "upstream_stalled" && issuer === current) issuer = undefined
    // Here and not before: responses belong to the request that makes them.
    return toResponse(reply)
  }
}
