/**
 * What a module exports, read from the declarations that are published of it.
 */
import { readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { parseSync } from "rolldown/utils"
import * as DocComment from "./DocComment.ts"

export interface Export {
  readonly name: string
  /** As it stands in the declarations, without the comment before it. */
  readonly code: string
  readonly comment: DocComment.DocComment | undefined
}

export interface Declarations {
  readonly exports: ReadonlyArray<Export>
  /** Modules that are exported as one name. */
  readonly namespaces: ReadonlyArray<{ readonly name: string; readonly path: string }>
}

/** Where the declarations of an import of this workspace lie. */
const resolve = (root: string, from: string, specifier: string): string => {
  const [, scope, module = "index"] = /^@effect-identity\/([\w-]+)(?:\/(.+))?$/.exec(specifier) ?? []
  return scope === undefined
    ? join(dirname(from), specifier.replace(/\.[jt]s$/, ".d.ts"))
    : join(root, "packages", scope, "build/src", `${module}.d.ts`)
}

type Parsed = ReturnType<typeof parseSync>
type Statement = Parsed["program"]["body"][number]

const namesOf = (statement: Statement): ReadonlyArray<string> => {
  switch (statement.type) {
    case "ExportNamedDeclaration":
      return statement.declaration === null ? [] : namesOf(statement.declaration)
    case "VariableDeclaration":
      return statement.declarations.flatMap(({ id }) => id.type === "Identifier" ? [id.name] : [])
    case "ClassDeclaration":
    case "FunctionDeclaration":
    case "TSDeclareFunction":
      return statement.id === null ? [] : [statement.id.name]
    case "TSInterfaceDeclaration":
    case "TSTypeAliasDeclaration":
    case "TSEnumDeclaration":
      return [statement.id.name]
    default:
      return []
  }
}

interface Local {
  readonly code: string
  readonly comment: DocComment.DocComment | undefined
}

/** Declarations by name. What is declared more than once, such as overloads, stands together. */
const localsOf = (code: string, { comments, program }: Parsed): ReadonlyMap<string, Local> => {
  const docs = comments.filter(({ type, value }) => type === "Block" && value.startsWith("*"))
  const locals = new Map<string, Local>()
  for (const statement of program.body) {
    const before = docs.findLast(({ end }) => end <= statement.start && code.slice(end, statement.start).trim() === "")
    for (const name of namesOf(statement)) {
      const earlier = locals.get(name)
      const own = code.slice(statement.start, statement.end)
      locals.set(name, {
        code: earlier === undefined ? own : `${earlier.code}\n${own}`,
        comment: earlier?.comment ?? (before === undefined ? undefined : DocComment.parse(before.value))
      })
    }
  }
  return locals
}

/** The compiler puts what a class extends into a constant before it: there the shape of a service is explained. */
const withBase = (name: string, { code, comment }: Local, locals: ReadonlyMap<string, Local>): Export => {
  const base = locals.get(`${name}_base`)
  return { name, comment, code: base?.code.includes("/**") ? `${base.code}\n${code}` : code }
}

const nameOf = (node: { readonly type: string; readonly name?: string; readonly value?: unknown }): string =>
  node.name ?? String(node.value)

export const read = (root: string, path: string): Declarations => {
  const code = readFileSync(path, "utf8")
  const parsed = parseSync(path, code, { lang: "dts", astType: "ts" })
  const [error] = parsed.errors
  if (error !== undefined) throw new Error(`${path}: ${error.message}`)
  const locals = localsOf(code, parsed)
  const exports: Array<Export> = []
  const namespaces: Array<Declarations["namespaces"][number]> = []
  const add = (name: string, found: Local | undefined) => {
    if (found === undefined) throw new Error(`${path}: the declaration of ${name} was not found`)
    if (exports.every((each) => each.name !== name)) exports.push(withBase(name, found, locals))
  }

  for (const statement of parsed.program.body) {
    if (statement.type === "ExportAllDeclaration") {
      const from = resolve(root, path, statement.source.value)
      if (statement.exported === null) exports.push(...read(root, from).exports)
      else namespaces.push({ name: nameOf(statement.exported), path: from })
    } else if (statement.type === "ExportNamedDeclaration" && statement.source !== null) {
      const theirs = read(root, resolve(root, path, statement.source.value))
      for (const { exported, local } of statement.specifiers) {
        const namespace = theirs.namespaces.find(({ name }) => name === nameOf(local))
        if (namespace !== undefined) namespaces.push({ name: nameOf(exported), path: namespace.path })
        else add(nameOf(exported), theirs.exports.find(({ name }) => name === nameOf(local)))
      }
    } else if (statement.type === "ExportNamedDeclaration") {
      for (const name of namesOf(statement)) add(name, locals.get(name))
      for (const { exported, local } of statement.specifiers) add(nameOf(exported), locals.get(nameOf(local)))
    } else if (statement.type === "ExportDefaultDeclaration") {
      add("default", statement.declaration.type === "Identifier" ? locals.get(statement.declaration.name) : undefined)
    }
  }
  return { exports, namespaces }
}
