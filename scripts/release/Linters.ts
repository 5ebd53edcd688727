/**
 * What two linters of packages say about a tarball: publint about how it is loaded, attw about whether its types tell the truth.
 */
import * as Attw from "@arethetypeswrong/core"
import { readFileSync } from "node:fs"
import { publint } from "publint"
import { formatMessage } from "publint/utils"
import type { Packed } from "./Packed.ts"

const fromPublint = async ({ tarball }: Packed): Promise<ReadonlyArray<string>> => {
  const { buffer } = new Uint8Array(readFileSync(tarball))
  const { messages, pkg } = await publint({ pack: { tarball: buffer } })
  return messages
    // There is no repository yet, and none is made up.
    .filter(({ code }) => code !== "USE_REPOSITORY" as string)
    .map((message) => `publint: ${formatMessage(message, pkg, { color: false }) ?? message.code}`)
}

/**
 * Node loads ES modules by `require()` from 22.12 on, and compilers know it. The resolution of Node 10 knows no `exports`: it
 * is what TypeScript does only when told to.
 */
const isExpected = (problem: Attw.Problem): boolean =>
  problem.kind === "CJSResolvesToESM" || ("resolutionKind" in problem && problem.resolutionKind === "node10")

const fromAttw = async ({ subpaths, tarball }: Packed): Promise<ReadonlyArray<string>> => {
  const opened = Attw.createPackageFromTarballData(new Uint8Array(readFileSync(tarball)))
  const result = await Attw.checkPackage(opened, { entrypoints: [...subpaths] })
  if (result.types === false) return ["attw: it has no types"]
  return result.problems.filter((problem) => !isExpected(problem)).map((problem) => `attw: ${JSON.stringify(problem)}`)
}

export const problemsOf = async (packed: Packed): Promise<ReadonlyArray<string>> => [
  ...await fromPublint(packed),
  ...await fromAttw(packed)
]
