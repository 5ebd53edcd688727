#!/usr/bin/env node
/**
 * The issuer as a program. Its environment is its settings: see `Environment` and `NodeEnvironment`.
 *
 * @since 0.1.0
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as NodeIssuer from "./NodeIssuer.ts"

const program = Layer.launch(NodeIssuer.layer).pipe(
  // What is wrong is said in one line; a stack trace adds nothing to it.
  Effect.tapError((error) =>
    Effect.logError(
      error._tag === "ConfigurationError" ? error.message : "the issuer cannot listen where it is told to"
    )
  )
)

NodeRuntime.runMain(program, { disableErrorReporting: true })
