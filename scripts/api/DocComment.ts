/**
 * What a doc comment says, and what it lacks.
 */

export interface DocComment {
  /** Everything before the first tag. */
  readonly text: string
  readonly example: string | undefined
  readonly tags: ReadonlyMap<string, string>
}

const version = /^\d+\.\d+\.\d+$/

/** Where an export is listed. A new one is added here, on purpose. */
const categories = new Set([
  "combinators",
  "constants",
  "constructors",
  "entries",
  "environment",
  "errors",
  "layers",
  "metrics",
  "models",
  "predicates",
  "proxy",
  "references",
  "services"
])

/** Reads the text between the opening and the closing of a comment. */
export const parse = (comment: string): DocComment => {
  const content = comment.replaceAll(/^[ \t]*\*? ?/gm, "").replace(/^\*/, "").trim()
  const [text = "", ...tagged] = `\n${content}`.split(/^(?=@\w)/m)
  const tags = new Map(tagged.map((tag) => {
    const [, name = "", value = ""] = /^@(\w+)\s*([\s\S]*)$/.exec(tag) ?? []
    return [name, value.trim()] as const
  }))
  return { text: text.trim(), example: tags.get("example"), tags }
}

const lacks = (problem: string, holds: boolean): ReadonlyArray<string> => holds ? [] : [problem]

/** What every module and every export has to say. */
export const missing = ({ tags, text }: DocComment): ReadonlyArray<string> => [
  ...lacks("a sentence", /[.?!:]$|```$/m.test(text)),
  ...lacks("@since with a version", version.test(tags.get("since") ?? ""))
]

/** What an export has to say besides. */
export const missingOfExport = (comment: DocComment): ReadonlyArray<string> => [
  ...missing(comment),
  ...lacks("@category of the list", categories.has(comment.tags.get("category") ?? "")),
  ...lacks("@stability stable or unstable", ["stable", "unstable"].includes(comment.tags.get("stability") ?? ""))
]
