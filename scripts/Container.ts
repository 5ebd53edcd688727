/**
 * Does what a Dockerfile says, without a container: installs the tarballs in place of what it names, and runs its command as
 * somebody who owns nothing but what it gives away.
 */
import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { setTimeout as wait } from "node:timers/promises"
import * as Tarball from "./Tarball.ts"

/** Its user `node`, where this runs as root: a user without a name, who has no home. */
const nobody = 65_534

const read = (dockerfile: string) => {
  const lines = readFileSync(dockerfile, "utf8").split("\n")
  const all = (instruction: string) =>
    lines.filter((line) => line.startsWith(`${instruction} `)).map((line) => line.slice(instruction.length + 1))
  const command = (instruction: string): ReadonlyArray<string> => JSON.parse(all(instruction)[0] ?? "[]")
  return {
    version: /^FROM node:(\d+)/m.exec(lines.join("\n"))?.[1],
    user: all("USER"),
    runs: all("RUN"),
    env: Object.fromEntries(all("ENV").flatMap((line) => line.split(" ").map((pair) => pair.split("=")))),
    command: command("CMD"),
    healthcheck: command("HEALTHCHECK CMD")
  }
}

interface Options {
  readonly workplace: string
  /** In place of the package of this repository that it installs. */
  readonly tarballs: ReadonlyArray<string>
  /** Node of the version that it is built from. */
  readonly node: string
  readonly env: Readonly<Record<string, string>>
}

/** Ends when the command has been found healthy and has ended in order. */
export const check = async (dockerfile: string, { env, node, tarballs, workplace }: Options): Promise<void> => {
  const file = read(dockerfile)
  assert.ok((await Tarball.run(node, ["--version"], { cwd: workplace })).startsWith(`v${file.version}.`))
  assert.deepEqual(file.user, ["node"])
  const { name, version } = JSON.parse(readFileSync(join(dirname(dockerfile), "package.json"), "utf8"))
  assert.ok(file.runs.some((line) => line.split(" ").includes(`${name}@${version}`)), `it does not install ${version}`)
  const folder = mkdtempSync(join(workplace, "container-"))
  writeFileSync(join(folder, "package.json"), "{}")
  const isRoot = process.getuid?.() === 0
  const owner = isRoot ? `${nobody}:${nobody}` : `${process.getuid?.()}:${process.getgid?.()}`
  const path = `${dirname(node)}:${process.env["PATH"]}`
  for (const line of file.runs) {
    const local = line.replace(/@effect-identity\/[\w-]+@[\d.]+/, tarballs.join(" ")).replaceAll("node:node", owner)
    await Tarball.run("sh", ["-ec", local], { cwd: folder })
  }
  for (const place of [workplace, folder]) chmodSync(place, 0o755)

  const options = {
    cwd: folder,
    env: { PATH: path, ...file.env, ...env },
    ...isRoot ? { uid: nobody, gid: nobody } : {}
  }
  const start = ([program = "", ...args]: ReadonlyArray<string>) => spawn(program, args, options)
  const server = start(file.command)
  let output = ""
  for (const stream of [server.stdout, server.stderr]) stream.on("data", (chunk) => output += chunk)
  const ended = once(server, "close")
  try {
    const isHealthy = async () => (await once(start(file.healthcheck), "close"))[0] === 0
    for (const deadline = performance.now() + 60_000; !(await isHealthy());) {
      assert.ok(server.exitCode === null && performance.now() < deadline, `it is not healthy: ${output}`)
      await wait(100)
    }
    server.kill("SIGTERM")
    assert.equal((await ended)[0], 0, output)
  } finally {
    server.kill("SIGKILL")
  }
}
