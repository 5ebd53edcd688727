/**
 * Writes the reference: a page for every module, and one that lists them.
 */
import type { Export } from "./Declarations.ts"
import type { DocComment } from "./DocComment.ts"
import type { Module, Package } from "./Package.ts"

const notice = "<!-- Written by `pnpm api` from the sources: change those. -->"

const anchor = (name: string): string => name.toLowerCase().replaceAll(/[^\w-]/g, "")

/** The first sentence. */
const summary = (comment: DocComment | undefined): string =>
  (comment?.text.split(/(?<=[.?!])\s|\n\n/)[0] ?? "").replaceAll("\n", " ").replaceAll(/\{@link (\S+?)\}/g, "`$1`")

/** Links to exports of the same page, and names of all others. */
const linked = (text: string, names: ReadonlySet<string>): string =>
  text.replaceAll(
    /\{@link (\S+?)\}/g,
    (_, name: string) => names.has(name) ? `[\`${name}\`](#${anchor(name)})` : `\`${name}\``
  )

const section = ({ code, comment, name }: Export, names: ReadonlySet<string>): string =>
  [
    `### ${name}`,
    linked(comment?.text ?? "", names),
    "```ts\n" + code.replaceAll(/^export (declare )?|^declare /gm, "") + "\n```",
    ...(comment?.example === undefined ? [] : [comment.example]),
    `${comment?.tags.get("stability") ?? ""}, since ${comment?.tags.get("since") ?? ""}`
  ].filter((part) => part !== "").join("\n\n")

const byCategory = (exports: ReadonlyArray<Export>): ReadonlyArray<readonly [string, ReadonlyArray<Export>]> => {
  const categories = new Set(exports.map(({ comment }) => comment?.tags.get("category") ?? ""))
  return Array.from(
    categories,
    (category) => [category, exports.filter(({ comment }) => comment?.tags.get("category") === category)]
  )
}

/** The page of a module that another one exports as one name. */
const pageOf = (declarations: string): string =>
  declarations.replace(/^.*packages\/([\w-]+)\/build\/src\/(.+)\.d\.ts$/, "$1/$2")

/** From one page to another, or to a file below the root. */
const link = (from: string, to: string): string => "../".repeat(from.split("/").length - 1) + to

const paragraphs = (parts: ReadonlyArray<string>): string => `${parts.filter((part) => part !== "").join("\n\n")}\n`

export const ofModule = ({ comment, exports, namespaces, page, source, specifier }: Module): string => {
  const names = new Set(exports.map(({ name }) => name))
  const modules = namespaces.map(({ name, path }) => `- [\`${name}\`](${link(page, pageOf(path))}.md)`)
  return paragraphs([
    notice,
    `# ${specifier}`,
    linked(comment?.text ?? "", names),
    `[Source](${link(page, `../../${source}`)})`,
    modules.join("\n"),
    ...byCategory(exports).map(([category, each]) =>
      [`## ${category}`].concat(each.map((exported) => section(exported, names))).join("\n\n")
    )
  ])
}

export const ofAll = (packages: ReadonlyArray<Package>): string =>
  paragraphs([
    notice,
    "# Reference",
    "Every module that can be imported, and what it exports.",
    ...packages.flatMap(({ description, modules, name }) => [
      `## ${name}`,
      `${description}.`,
      modules.map(({ comment, exports, page, specifier }) =>
        `- [\`${specifier}\`](${page}.md)${exports.length === 0 ? "" : `, ${exports.length} exports`}`
        + (comment === undefined || comment.text === "" ? "" : `: ${summary(comment)}`)
      ).join("\n")
    ])
  ])
