/**
 * Builds what is published, into each package's `dist`: annotated modules for the libraries, one bundle for the facade.
 */
import { transformAsync } from "@babel/core"
import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import * as Budget from "./Budget.ts"
import * as FacadeBundle from "./FacadeBundle.ts"
import * as LayerBundle from "./LayerBundle.ts"
import * as WorkerBundle from "./WorkerBundle.ts"

const root = join(import.meta.dirname, "..")
const packageDir = (name: string) => join(root, "packages", name)

/** From what is published, where calls that do nothing but make something are marked as such. */
const alias = Object.fromEntries(
  ["oauth", "workload-identity"].map((name) => [`@effect-identity/${name}`, join(packageDir(name), "dist")])
)

/** The compiler leaves behind what it made of sources that are gone. */
const hasSource = (name: string, file: string) =>
  existsSync(join(packageDir(name), "src", file.replace(/(\.d\.ts|\.js)$/, ".ts")))

const files = (directory: string): ReadonlyArray<string> =>
  readdirSync(directory, { recursive: true, encoding: "utf8" }).filter((name) => /\.(js|d\.ts)$/.test(name))

const write = (path: string, content: string) => {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
}

/** The compiler leaves `.ts` in the specifiers of declarations, which older compilers do not resolve. */
const withJsSpecifiers = (declaration: string) => declaration.replaceAll(/(["']\.[^"']*)\.ts(["'])/g, "$1.js$2")

const annotate = async (code: string): Promise<string> => {
  const result = await transformAsync(code, { plugins: ["annotate-pure-calls"], babelrc: false, configFile: false })
  if (typeof result?.code !== "string") throw new Error("nothing came out of the annotation of pure calls")
  return result.code
}

const buildLibrary = async (name: string) => {
  const from = join(packageDir(name), "build/src")
  const to = join(packageDir(name), "dist")
  rmSync(to, { recursive: true, force: true })
  for (const file of files(from).filter((file) => hasSource(name, file))) {
    const content = readFileSync(join(from, file), "utf8")
    write(join(to, file), file.endsWith(".js") ? await annotate(content) : withJsSpecifiers(content))
  }
  console.log(`@effect-identity/${name}: ${files(to).length} files`)
}

/** The facade's declarations speak of modules of another package that depend on nothing: they come along. */
const declareFacade = (to: string) => {
  const own = ["index", "Facade", "Client", "HttpClient", "ProjectEnvVars", "Proxy"]
  const borrowed = ["Diagnosis", "EnvKeys", "ProjectEnvVars", "WorkloadIdentityError"]
  for (const name of borrowed) {
    const declaration = readFileSync(join(packageDir("workload-identity"), `build/src/${name}.d.ts`), "utf8")
    write(join(to, `identity/${name}.d.ts`), withJsSpecifiers(declaration))
  }
  for (const name of own) {
    const declaration = readFileSync(join(packageDir("client"), `build/src/${name}.d.ts`), "utf8")
    const local = declaration.replaceAll(/"@effect-identity\/workload-identity\/(\w+)"/g, "\"./identity/$1.js\"")
    write(join(to, `${name}.d.ts`), withJsSpecifiers(local))
  }
  for (const file of files(to).filter((name) => name.endsWith(".d.ts"))) {
    const foreign = readFileSync(join(to, file), "utf8").match(/^(?:import|export) .*from "[^.].*$/m)
    if (foreign !== null) throw new Error(`the declarations of the facade import ${foreign[0]}`)
  }
}

const buildFacade = async () => {
  const to = join(packageDir("client"), "dist")
  rmSync(to, { recursive: true, force: true })
  for (const { code, fileName } of await FacadeBundle.make(packageDir("client"), alias)) write(join(to, fileName), code)
  declareFacade(to)
}

/** In the place of the module, which needs packages: Workers have none. */
const bundleWorker = async () => {
  const worker = join(packageDir("coze-issuer"), "dist/worker.js")
  const { code, gzip } = await WorkerBundle.make(worker, alias)
  write(worker, code)
  console.log(`@effect-identity/coze-issuer: worker of ${code.length} bytes, ${gzip} compressed, nothing of Node in it`)
}

const checkNeutral = (name: string) => {
  const to = join(packageDir(name), "dist")
  const modules = files(to).filter((path) => path.endsWith(".js"))
  Budget.checkNeutral(name, modules.map((path) => [path, readFileSync(join(to, path), "utf8")] as const))
}

const checkLayers = async () => {
  const published = { directory: packageDir("workload-identity"), alias }
  Budget.checkLayers({
    layer: await LayerBundle.bytesOf("layer", published),
    tag: await LayerBundle.bytesOf("tag", published)
  })
}

const libraries = ["oauth", "workload-identity", "api-client", "testing", "coze-issuer", "token-server"]

execFileSync(
  "tsc",
  ["-b", ...[...libraries, "workload-identity/src/node", "coze-issuer/src/node", "client"].map(packageDir)],
  { stdio: "inherit" }
)
for (const name of libraries) await buildLibrary(name)
for (const name of ["oauth", "workload-identity", "api-client", "coze-issuer"]) checkNeutral(name)
await checkLayers()
await buildFacade()
await bundleWorker()
