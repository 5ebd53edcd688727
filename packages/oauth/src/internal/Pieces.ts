/**
 * The pieces of a body that is not trusted to be as small as it should be.
 */
import * as Effect from "effect/Effect"
import { type Flaw, type Reason, Timeout } from "../OAuthError.ts"

export type Unreadable = Reason | Flaw

export const tooLarge = Effect.fail("tooLarge" as const)

export const outOfPatience = Effect.suspend(() => Effect.fail(new Timeout({ detail: "body" })))

/** Collects pieces up to a bound. */
export class Pieces {
  readonly #maximumBytes: number
  readonly #pieces: Array<Uint8Array> = []
  #length = 0

  constructor(maximumBytes: number) {
    this.#maximumBytes = maximumBytes
  }

  /** Whether it still fits. */
  add(piece: Uint8Array): boolean {
    this.#length += piece.length
    this.#pieces.push(piece)
    return this.#length <= this.#maximumBytes
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.#length)
    let offset = 0
    for (const piece of this.#pieces) {
      bytes.set(piece, offset)
      offset += piece.length
    }
    return bytes
  }
}
