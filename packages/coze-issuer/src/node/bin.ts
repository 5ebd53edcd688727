#!/usr/bin/env node
/**
 * The issuer as a program. Its environment is its settings: see `Environment` and `NodeEnvironment`.
 *
 * @since 0.1.0
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Runtime from "effect/Runtime"
import * as NodeIssuer from "./NodeIssuer.ts"

/** What the system calls it; its message says no more. */
const codeOf = (cause: unknown): string => Predicate.hasProperty(cause, "code") ? `: ${String(cause.code)}` : ""

const program = Layer.launch(NodeIssuer.layer).pipe(
  // What is wrong is said in one line; a stack trace adds nothing to it.
  Effect.tapError((error) =>
    Effect.logError(
      error._tag === "ConfigurationError"
        ? error.message
        : `the issuer cannot listen on HOST and PORT${codeOf(error.cause)}`
    )
  )
)

NodeRuntime.runMain(program, {
  disableErrorReporting: true,
  // Being told to end is no failure.
  teardown: (exit, onExit) =>
    Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause) ? onExit(0) : Runtime.defaultTeardown(exit, onExit)
})
