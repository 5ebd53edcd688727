/**
 * A program in one file together with the packed facade, made by the bundlers that its users have.
 */
import { copyFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Tarball from "./Tarball.ts"

const programs = ["esbuild@0.28.2", "webpack@5.113.0"]

const esbuild = (format: "esm" | "cjs", entry: string, file: string) => `
  require("esbuild").buildSync({
    bundle: true,
    entryPoints: [${JSON.stringify(entry)}],
    format: ${JSON.stringify(format)},
    minify: true,
    outfile: ${JSON.stringify(file)},
    platform: "node"
  })`

const webpack = (entry: string, folder: string) => `
  require("webpack")({
    entry: ${JSON.stringify(entry)},
    mode: "production",
    output: { path: ${JSON.stringify(folder)}, filename: "program.cjs" },
    target: "node"
  }, (error, stats) => {
    if (error || stats.hasErrors()) throw error ?? new Error(stats.toString())
  })`

/** Bundles `program` with what is in the tarballs, each time into a folder that holds nothing else. */
export const bundle = async (
  workplace: string,
  program: string,
  tarballs: ReadonlyArray<string>
): Promise<ReadonlyArray<{ readonly name: string; readonly folder: string; readonly file: string }>> => {
  const folder = await Tarball.install(workplace, "bundlers", [...programs, ...tarballs])
  const entry = join(folder, "program.mjs")
  copyFileSync(program, entry)
  const bundles = [
    { name: "esbuild, ESM", folder: join(workplace, "esbuild-esm"), file: "program.mjs" },
    { name: "esbuild, CommonJS", folder: join(workplace, "esbuild-cjs"), file: "program.cjs" },
    { name: "webpack", folder: join(workplace, "webpack"), file: "program.cjs" }
  ] as const
  const [esm, cjs, packed] = bundles
  const scripts = [
    esbuild("esm", entry, join(esm.folder, esm.file)),
    esbuild("cjs", entry, join(cjs.folder, cjs.file)),
    webpack(entry, packed.folder)
  ]
  for (const script of scripts) {
    writeFileSync(join(folder, "bundle.cjs"), script)
    await Tarball.run(process.execPath, ["bundle.cjs"], { cwd: folder })
  }
  return bundles
}
