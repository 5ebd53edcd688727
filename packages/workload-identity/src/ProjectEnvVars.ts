/**
 * The environment variables of a project, as the platform keeps them.
 *
 * Like the errors, this class is shared by both APIs and depends on nothing: values are redacted on the Effect side and
 * plain on the Promise side. It never shows them by itself.
 *
 * @since 0.1.0
 */

/**
 * One variable.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface ProjectEnvVar<out A> {
  readonly key: string
  readonly value: A
}

/**
 * A collection of variables, in the order of the platform. When a key occurs more than once, look-ups find the first.
 * Any text is a key, `__proto__` and the empty one included.
 *
 * @example
 * ```ts
 * import { ProjectEnvVars } from "@effect-identity/workload-identity"
 *
 * const vars = new ProjectEnvVars.ProjectEnvVars([{ key: "API_KEY", value: "1" }, { key: "API_KEY", value: "2" }])
 * vars.get("API_KEY") // => "1"
 * vars.get("OTHER", "default") // => "default"
 * vars.size // => 2
 * vars.toRecord() // => { API_KEY: "1" }
 * ```
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export class ProjectEnvVars<out A> implements Iterable<ProjectEnvVar<A>> {
  readonly #entries: ReadonlyArray<ProjectEnvVar<A>>
  readonly #first: ReadonlyMap<string, A>

  constructor(entries: Iterable<ProjectEnvVar<A>>) {
    this.#entries = Array.from(entries, ({ key, value }) => ({ key, value }))
    const first = new Map<string, A>()
    for (const { key, value } of this.#entries) {
      if (!first.has(key)) first.set(key, value)
    }
    this.#first = first
  }

  /** How many variables there are, repeated keys counted. */
  get size(): number {
    return this.#entries.length
  }

  has(key: string): boolean {
    return this.#first.has(key)
  }

  get(key: string): A | undefined
  get<B>(key: string, defaultValue: B): A | B
  get<B>(key: string, defaultValue?: B): A | B | undefined {
    const value = this.#first.get(key)
    return value !== undefined || this.#first.has(key) ? value : defaultValue
  }

  /** The value of `key`; throws a `RangeError` that names the key when there is none. */
  getOrThrow(key: string): A {
    const value = this.#first.get(key)
    if (value === undefined) throw new RangeError(`Environment variable '${key}' not found`)
    return value
  }

  /** The values by key, on an object without surprises: `__proto__` is a key like any other. */
  toRecord(): Record<string, A> {
    return Object.fromEntries(this.#first)
  }

  /** The same variables with other values. */
  map<B>(f: (value: A) => B): ProjectEnvVars<B> {
    return new ProjectEnvVars(this.#entries.map(({ key, value }) => ({ key, value: f(value) })))
  }

  *[Symbol.iterator](): Iterator<ProjectEnvVar<A>> {
    yield* this.#entries
  }
}

/**
 * What became of each variable: `loaded` now stands in the environment, `kept` had a value there already, `skipped`
 * cannot stand in one (an empty name, `=` in a name, a NUL anywhere).
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Loaded {
  readonly loaded: ReadonlyArray<string>
  readonly kept: ReadonlyArray<string>
  readonly skipped: ReadonlyArray<string>
}

const fits = (key: string, value: string): boolean => /^[^=\0]+$/.test(key) && !value.includes("\0")

/**
 * Writes variables into an environment, first of equal keys first. Values that are there already stay, unless told to
 * `override` them.
 *
 * @example
 * ```ts
 * import { ProjectEnvVars } from "@effect-identity/workload-identity"
 *
 * const vars = new ProjectEnvVars.ProjectEnvVars([{ key: "A", value: "1" }, { key: "B", value: "2" }])
 * const env: Record<string, string | undefined> = { A: "already" }
 * ProjectEnvVars.loadInto(env, vars).loaded // => ["B"]
 * env // => { A: "already", B: "2" }
 * ```
 *
 * @stability stable
 * @category combinators
 * @since 0.1.0
 */
export const loadInto = (
  env: Record<string, string | undefined>,
  vars: ProjectEnvVars<string>,
  { override = false }: { readonly override?: boolean | undefined } = {}
): Loaded => {
  const loaded: Array<string> = []
  const kept: Array<string> = []
  const skipped: Array<string> = []
  for (const [key, value] of Object.entries(vars.toRecord())) {
    if (!fits(key, value)) skipped.push(key)
    else if (!override && Object.hasOwn(env, key) && env[key] !== undefined) kept.push(key)
    else {
      Object.defineProperty(env, key, { value, writable: true, enumerable: true, configurable: true })
      loaded.push(key)
    }
  }
  return { loaded, kept, skipped }
}
