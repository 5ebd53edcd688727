/**
 * Runs the tests that talk to real programs. Installs those that are missing from Debian's packages when it may, and
 * otherwise says which they are.
 */
import { execFileSync, spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { join } from "node:path"

const programs = {
  faketime: "faketime",
  nft: "nftables",
  squid: "squid",
  strings: "binutils",
  tinyproxy: "tinyproxy",
  "/usr/lib/postgresql": "postgresql"
}

const isThere = (program: string) =>
  program.startsWith("/") ? existsSync(program) : spawnSync("which", [program]).status === 0

const missing = Object.entries(programs).filter(([program]) => !isThere(program)).map(([, name]) => name)

if (missing.length > 0) {
  if (process.getuid?.() !== 0 || !isThere("apt-get")) {
    console.error(`the system tests need ${missing.join(" and ")}: install them, or run this as root on Debian`)
    process.exit(1)
  }
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" }
  execFileSync("apt-get", ["update", "-qq"], { env, stdio: ["ignore", "ignore", "inherit"] })
  execFileSync("apt-get", ["install", "-qq", "-y", "--no-install-recommends", ...missing], {
    env,
    stdio: ["ignore", "ignore", "inherit"]
  })
}

const config = join(import.meta.dirname, "../vitest.system.ts")
process.exit(spawnSync("vitest", ["run", "--config", config], { stdio: "inherit" }).status ?? 1)
