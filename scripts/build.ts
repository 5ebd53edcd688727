/**
 * Builds what is published, into each package's `dist`: annotated modules for the libraries, one bundle for the facade.
 */
import { transformAsync } from "@babel/core"
import { execFileSync } from "node:child_process"
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { rolldown } from "rolldown"
import * as Budget from "./Budget.ts"
import * as WorkerBundle from "./WorkerBundle.ts"

const root = join(import.meta.dirname, "..")
const packageDir = (name: string) => join(root, "packages", name)

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
  for (const file of files(from)) {
    const content = readFileSync(join(from, file), "utf8")
    write(join(to, file), file.endsWith(".js") ? await annotate(content) : withJsSpecifiers(content))
  }
  console.log(`@effect-identity/${name}: ${files(to).length} files`)
}

// The transport can take over upgraded connections, for which it loads a WebSocket stack. Tokens need none.
const withoutUpgrades = {
  name: "without-upgrades",
  resolveId: (id: string) => id.endsWith("/internal/upgrade.js") ? { id: "\0upgrade", external: false } : null,
  load: (id: string) => id === "\0upgrade" ? "export const toSocket = undefined" : null
}

// Plain programs parse the JSON of credentials themselves: nothing in the facade asks for a schema.
const withoutSchemas = {
  name: "without-schemas",
  resolveId: (id: string) => id.endsWith("/internal/CredentialJson.ts") ? { id: "\0schemas", external: false } : null,
  load: (id: string) => id === "\0schemas" ? "export const decode = undefined" : null
}

// The bundler makes module namespaces with a loop that also meets what someone put on Object.prototype.
const namespaceLoop = /for\(var (\w+) in (\w+)\)(\w+\(\w+,\1,\{get:\2\[\1\])/g

const withSafeNamespaces = (code: string): string => {
  const safe = code.replace(namespaceLoop, "for(var $1 of Object.keys($2))$3")
  if (/for\(var \w+ in \w+\)\w+\(\w+,/.test(safe)) throw new Error("the bundler makes namespaces in another way now")
  return safe
}

/** In `node -e` there is a `__filename` that names no file; in a bundle of another kind there is nothing else. */
const withOwnPath = (code: string): string =>
  code.replaceAll("typeof __filename==`string`?__filename:import.meta.url", "import.meta.url??__filename")

const facadeSource = (name: string) => join(packageDir("client"), `src/${name}.ts`)

const bundlePart = async (input: string, fileName: string): Promise<Budget.Part> => {
  const bundle = await rolldown({
    input,
    platform: "node",
    external: [/^node:/],
    plugins: [withoutUpgrades, withoutSchemas, {
      name: "machinery-stays-apart",
      resolveId: (id: string) =>
        id === "./Machinery.ts" && fileName === "index.js" ? { id: "./machinery.js", external: true } : null
    }],
    // The entries say where the machinery is; nothing else here is imported for what importing it does.
    treeshake: { moduleSideEffects: (id) => id === input, propertyReadSideEffects: false }
  })
  const { output: [{ code, dynamicImports, imports }, ...rest] } = await bundle.generate({
    format: "esm",
    // Programs see the names of classes.
    minify: { mangle: { keepNames: { class: true, function: false } } },
    codeSplitting: false,
    comments: false
  })
  await bundle.close()
  if (rest.length > 0) throw new Error(`${fileName} is more than one file: ${rest.map((file) => file.fileName)}`)
  if (code.includes(root)) throw new Error(`${fileName} holds a path of this machine`)
  return { fileName, code: withOwnPath(withSafeNamespaces(code)), imports: [...imports, ...dynamicImports] }
}

/**
 * What plain programs load: `index.js` for bundlers, which loads everything at once; `lazy.js` for Node itself, one small file that
 * loads `machinery.js` when the first client is made.
 */
const bundleFacade = async (to: string) => {
  const machinery = await bundlePart(facadeSource("Machinery"), "machinery.js")
  const lazy = await bundlePart(facadeSource("lazy"), "lazy.js")
  const index = await bundlePart(facadeSource("index"), "index.js")
  for (const { code, fileName } of [machinery, lazy, index]) write(join(to, fileName), code)
  Budget.checkFacade({ machinery, lazy, index })
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
  await bundleFacade(to)
  declareFacade(to)
}

/** In the place of the module, which needs packages: Workers have none. */
const bundleWorker = async () => {
  const worker = join(packageDir("coze-issuer"), "dist/worker.js")
  const { code, gzip } = await WorkerBundle.make(worker, {
    "@effect-identity/oauth": join(packageDir("oauth"), "dist")
  })
  write(worker, code)
  console.log(`@effect-identity/coze-issuer: worker of ${code.length} bytes, ${gzip} compressed, nothing of Node in it`)
}

const libraries = ["oauth", "workload-identity", "api-client", "testing", "coze-issuer", "token-server"]

execFileSync(
  "tsc",
  ["-b", ...[...libraries, "workload-identity/src/node", "coze-issuer/src/node", "client"].map(packageDir)],
  { stdio: "inherit" }
)
for (const name of libraries) await buildLibrary(name)
await buildFacade()
await bundleWorker()
