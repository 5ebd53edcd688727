/**
 * Counts hits for the metrics.
 *
 * To find a series costs more than all the rest of a hit, so that only the first one in a turn of the event loop is told at
 * once, and the others together when the turn is over.
 */
import * as Context from "effect/Context"
import * as Scheduler from "effect/Scheduler"
import type { AccessToken } from "../AccessToken.ts"
import * as Counts from "./Counts.ts"

export class Tally {
  #context: Context.Context<never> | undefined
  #token: AccessToken | undefined
  #age = 0
  #untold = 0

  add(context: Context.Context<never>, token: AccessToken, age: number): void {
    if (context !== this.#context || token !== this.#token) {
      this.#begin(context, token, age)
    } else {
      this.#age = age
      this.#untold++
    }
  }

  #begin(context: Context.Context<never>, token: AccessToken, age: number): void {
    const isOpen = this.#context !== undefined
    this.#tell()
    this.#context = context
    this.#token = token
    Counts.answers(context, token, "hit", age)
    if (!isOpen) Context.get(context, Scheduler.Scheduler).makeDispatcher().scheduleTask(() => this.#end(), 0)
  }

  #end(): void {
    this.#tell()
    this.#context = undefined
    this.#token = undefined
  }

  #tell(): void {
    if (this.#context !== undefined && this.#token !== undefined && this.#untold > 0) {
      Counts.answers(this.#context, this.#token, "hit", this.#age, this.#untold)
    }
    this.#untold = 0
  }
}
