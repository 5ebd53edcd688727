/**
 * Which paths and methods there are. A path is what stands in the request, letter by letter: nothing is decoded, folded or
 * made shorter before it is looked up, so that there is one way to write each.
 */
/** A method on a path, whose variable parts are `:name`. */
export interface Route {
  readonly method: string
  readonly path: string
}

interface Entry {
  readonly path: string
  readonly pattern: RegExp
  readonly methods: Set<string>
}

export interface Found {
  readonly path: string
  readonly methods: ReadonlySet<string>
}

export interface RouteTable {
  readonly find: (path: string) => Found | undefined
}

export const make = (routes: Iterable<Route>): RouteTable => {
  const entries = new Map<string, Entry>()
  for (const { method, path } of routes) {
    const pattern = new RegExp(`^${path.replaceAll(".", "\\.").replace(/:\w+/g, "[\\w.-]*\\w")}$`)
    const entry = entries.get(path) ?? { path, pattern, methods: new Set() }
    entry.methods.add(method)
    entries.set(path, entry)
  }
  const all = [...entries.values()]
  return { find: (path) => all.find(({ pattern }) => pattern.test(path)) }
}

/** What of an API tells its routes. */
interface Groups {
  readonly groups: Readonly<Record<string, { readonly endpoints: Readonly<Record<string, Route>> }>>
}

/** The routes of an API. */
export const ofApi = (api: Groups): ReadonlyArray<Route> =>
  Object.values(api.groups).flatMap(({ endpoints }) =>
    Object.values(endpoints).map(({ method, path }) => ({ method, path }))
  )
