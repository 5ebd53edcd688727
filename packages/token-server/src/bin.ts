#!/usr/bin/env node
/**
 * The token server as a program. Its environment is its settings: see `Settings`.
 *
 * @since 0.1.0
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Cause from "effect/Cause"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Runtime from "effect/Runtime"
import process from "node:process"
import { keys } from "./internal/program/Keys.ts"
import { masterKey } from "./internal/program/MasterKey.ts"
import { serve } from "./internal/program/Serve.ts"
import { version } from "./internal/version.ts"

const command = Command.make("token-server", {}, () => serve).pipe(
  Command.withDescription("Holds the secrets of upstream APIs and hands out their tokens"),
  Command.withSubcommands([
    Command.make("serve", {}, () => serve).pipe(Command.withDescription("Serve: the same as no command")),
    keys,
    masterKey
  ])
)

// The first signal ends it in order, the second one at once.
const signals = ["SIGINT", "SIGTERM"] as const
for (const signal of signals) process.once(signal, () => process.once(signal, () => process.exit(1)))

NodeRuntime.runMain(Effect.provide(Command.run(command, { version }), NodeServices.layer), {
  disableErrorReporting: true,
  // Being told to end is no failure.
  teardown: (exit, onExit) =>
    Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause) ? onExit(0) : Runtime.defaultTeardown(exit, onExit)
})
