/**
 * A library that gets tokens, asked as its own documentation has it, with its defaults.
 */

/** Where things are, and who asks. */
export interface World {
  readonly issuer: string
  readonly api: string
  readonly id: string
  /** Asked for whenever the client asks. */
  readonly secret: () => string
  /** A proxy with credentials in its address, and the certificates to trust behind it. */
  readonly proxy?: { readonly url: string; readonly ca: string } | undefined
}

export interface Subject {
  readonly getToken: () => Promise<unknown>
  /** The call behind that, when the library answers with more than the token. */
  readonly read?: () => Promise<unknown>
  /** A request to the API that carries the token. Absent where the library sends none. */
  readonly call?: () => Promise<unknown>
  /** Something that waits for a token and can be told to stop. */
  readonly cancellable?: (signal: AbortSignal) => Promise<unknown>
  /** Makes its secret another one while it lives. Absent where the secret is a constant of the client. */
  readonly rotate?: (secret: string) => void
}

/** Loads a package, by `import` or by `require`: the types are those of `import`. */
export type Load = <A>(imported: () => Promise<A>, name: string) => Promise<A>

export interface Client {
  /** The package that is asked. */
  readonly name: string
  /** Requests that lead to one token. */
  readonly steps: 1 | 2
  /** What comes of connections and bodies says nothing about the library when the bench had to bring the transport. */
  readonly transport?: "of the bench"
  readonly make: (world: World, load: Load) => Promise<Subject>
  /** A request to a third party through the proxy. Absent where the library knows of no proxy. */
  readonly throughProxy?: (world: World, url: string) => Promise<unknown>
}
