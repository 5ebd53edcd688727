/**
 * Who is measured: a client, how it is installed, and what of it a program imports.
 */
import type { Client, Subject } from "../Client.ts"

/** What a program takes from a package. */
export interface Entry {
  readonly from: string
  readonly names: ReadonlyArray<string>
}

export interface Peer extends Client {
  /** The file that exports it as `peer`: programs are built around that. */
  readonly module: string
  /** What a program imports. Nothing for what is written by hand. */
  readonly entries: ReadonlyArray<Entry>
  /** Whether it keeps the token it got, or asks each time by design. */
  readonly keepsTokens: boolean
}

export const byHandName = "by hand"
export const oursName = "this"

export const secret = "bench-secret-81f3-of-app"

/** A client of this peer, of the one identity all of them have here. */
export const subjectOf = (peer: Peer, issuer: string): Promise<Subject> =>
  peer.make({ issuer, api: issuer, id: "app", secret: () => secret }, (load) => load())

/** The call that gets a token, with as little around it as can be. */
export const callOf = ({ getToken, read }: Subject): () => Promise<unknown> => read ?? getToken
