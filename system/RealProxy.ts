/**
 * squid and tinyproxy, each started on a free port with one user.
 */
import { execFileSync, spawn } from "node:child_process"
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Ports from "./Ports.ts"

export interface RealProxy {
  readonly port: number
  readonly stop: () => Promise<void>
}

const answers = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, "127.0.0.1")
    socket.once("connect", () => {
      socket.destroy()
      resolve(true)
    })
    socket.once("error", () => resolve(false))
  })

const configurations = {
  tinyproxy: (port: number, _folder: string, password: string) => ({
    command: ["tinyproxy", "-d", "-c"],
    text: `Port ${port}\nListen 127.0.0.1\nTimeout 30\nMaxClients 20\nBasicAuth space ${password}\n`
  }),
  squid: (port: number, folder: string, password: string) => {
    const hash = execFileSync("openssl", ["passwd", "-apr1", password], { encoding: "utf8" }).trim()
    writeFileSync(join(folder, "users"), `space:${hash}\n`)
    chmodSync(join(folder, "users"), 0o644)
    return {
      command: ["squid", "-N", "-f"],
      text: [
        `http_port 127.0.0.1:${port}`,
        `auth_param basic program /usr/lib/squid/basic_ncsa_auth ${folder}/users`,
        "acl known proxy_auth REQUIRED",
        "http_access allow known",
        "http_access deny all",
        "cache deny all",
        "pid_filename none",
        "access_log none",
        `cache_log ${folder}/cache.log`,
        `coredump_dir ${folder}`,
        "shutdown_lifetime 0 seconds",
        "pinger_enable off",
        ""
      ].join("\n")
    }
  }
}

export const start = async (name: keyof typeof configurations, password: string): Promise<RealProxy> => {
  const folder = mkdtempSync(join(tmpdir(), `${name}-`))
  // squid gives up root for a user of its own, who has to read and write here.
  chmodSync(folder, 0o777)
  const port = await Ports.free()
  const { command: [program = "", ...args], text } = configurations[name](port, folder, password)
  const path = join(folder, "conf")
  writeFileSync(path, text)
  const child = spawn(program, [...args, path], { stdio: "ignore" })
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()))
  const deadline = performance.now() + 20_000
  while (!(await answers(port))) {
    if (child.exitCode !== null || performance.now() > deadline) throw new Error(`${name} did not start`)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return {
    port,
    stop: async () => {
      child.kill("SIGTERM")
      await ended
      rmSync(folder, { recursive: true, force: true })
    }
  }
}
