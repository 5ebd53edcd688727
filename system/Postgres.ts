/**
 * A PostgreSQL that is started for tests and thrown away. It is told not to wait for the disk: what is tested is killed, the
 * database itself never is.
 */
import { execFileSync, spawn } from "node:child_process"
import { chmodSync, chownSync, mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Ports from "./Ports.ts"

export interface Postgres {
  /** Where a database of that name is, which is made. */
  readonly create: (name: string) => string
  readonly url: string
  readonly folder: string
  /** Everything the server has written to its log. */
  readonly log: () => string
  readonly stop: () => Promise<void>
}

const versions = "/usr/lib/postgresql"

const programs = (): string => {
  const newest = readdirSync(versions).toSorted((a, b) => Number(b) - Number(a))[0]
  if (newest === undefined) throw new Error(`there is no PostgreSQL in ${versions}`)
  return join(versions, newest, "bin")
}

/** It refuses to run as root. */
const identity = (): { readonly uid?: number; readonly gid?: number } => {
  if (process.getuid?.() !== 0) return {}
  const idOf = (flag: string) => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }))
  return { uid: idOf("-u"), gid: idOf("-g") }
}

const settings = {
  listen_addresses: "127.0.0.1",
  fsync: "off",
  synchronous_commit: "off",
  full_page_writes: "off",
  max_connections: "200"
}

export const start = async (own: Readonly<Record<string, string>> = {}): Promise<Postgres> => {
  const bin = programs()
  const as = identity()
  const folder = mkdtempSync(join(tmpdir(), "postgres-"))
  chmodSync(folder, 0o700)
  if (as.uid !== undefined && as.gid !== undefined) chownSync(folder, as.uid, as.gid)
  const data = join(folder, "data")
  const options = { ...as, cwd: folder, env: { PATH: process.env["PATH"], LC_ALL: "C" } }
  execFileSync(join(bin, "initdb"), ["-D", data, "-U", "postgres", "-A", "trust", "--no-sync"], {
    ...options,
    stdio: ["ignore", "ignore", "inherit"]
  })
  const port = await Ports.free()
  const flags = Object.entries({ ...settings, ...own, port: String(port), unix_socket_directories: folder })
    .flatMap(([name, value]) => ["-c", `${name}=${value}`])
  const server = spawn(join(bin, "postgres"), ["-D", data, ...flags], {
    ...options,
    stdio: ["ignore", "ignore", "pipe"]
  })
  let log = ""
  const ended = new Promise<void>((resolve) => server.once("exit", () => resolve()))
  await new Promise<void>((resolve, reject) => {
    server.stderr.setEncoding("utf8").on("data", (text: string) => {
      log += text
      if (log.includes("ready to accept connections")) resolve()
    })
    server.once("exit", (code) => reject(new Error(`PostgreSQL ended with ${code}: ${log}`)))
  })
  const urlOf = (name: string) => `postgres://postgres@127.0.0.1:${port}/${name}`
  return {
    folder,
    url: urlOf("postgres"),
    create: (name) => {
      execFileSync(join(bin, "createdb"), ["-h", "127.0.0.1", "-p", String(port), "-U", "postgres", name], options)
      return urlOf(name)
    },
    log: () => log,
    stop: async () => {
      server.kill("SIGINT")
      await ended
      rmSync(folder, { recursive: true, force: true })
    }
  }
}
