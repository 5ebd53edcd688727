/**
 * Bundles the facade for plain Node.
 */
import { dirname, join } from "node:path"
import { rolldown } from "rolldown"
import * as Budget from "./Budget.ts"
import * as FacadeWithout from "./FacadeWithout.ts"

// The bundler makes module namespaces with a loop that also meets what someone put on Object.prototype.
const namespaceLoop = /for\(var (\w+) in (\w+)\)(\w+\(\w+,\1,\{get:\2\[\1\])/g

const withSafeNamespaces = (code: string): string => {
  const safe = code.replace(namespaceLoop, "for(var $1 of Object.keys($2))$3")
  if (/for\(var \w+ in \w+\)\w+\(\w+,/.test(safe)) throw new Error("the bundler makes namespaces in another way now")
  return safe
}

const builtinImport = /import\s*(?:\*\s*as (\w+)|\{([^}]*)\}| (\w+))\s*from\s*"(node:[\w/]+)";?/g

/**
 * Asks Node for its modules instead of importing them. To import one reads everything that it exports, and some of that is made
 * when it is read: WebCrypto in `node:crypto`, for one.
 */
const withBuiltins = (code: string): string => {
  const asked = code.replace(builtinImport, (_, whole?: string, names?: string, one?: string, module?: string) => {
    const local = whole ?? one ?? `{${names?.replaceAll(" as ", ":")}}`
    return `const ${local}=process.getBuiltinModule("${module}");`
  })
  if (/from\s*"node:/.test(asked)) throw new Error("the bundler imports in another way now")
  return asked
}

/** In `node -e` there is a `__filename` that names no file; in a bundle of another kind there is nothing else. */
const withOwnPath = (code: string): string =>
  code.replaceAll("typeof __filename==`string`?__filename:import.meta.url", "import.meta.url??__filename")

const part = async (
  input: string,
  fileName: string,
  alias: Readonly<Record<string, string>>
): Promise<Budget.Part> => {
  const bundle = await rolldown({
    input,
    platform: "node",
    external: [/^node:/],
    resolve: { alias },
    plugins: [FacadeWithout.plugin, {
      name: "machinery-stays-apart",
      resolveId: (id: string) =>
        id === "./Machinery.js" && fileName === "index.js" ? { id: "./machinery.js", external: true } : null
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
  if (code.includes(dirname(input))) throw new Error(`${fileName} holds a path of this machine`)
  return {
    fileName,
    code: withBuiltins(withOwnPath(withSafeNamespaces(code))),
    imports: [...imports, ...dynamicImports]
  }
}

/**
 * What plain programs load: `index.js` for bundlers, which loads everything at once; `lazy.js` for Node itself, one small file that
 * loads `machinery.js` when the first client is made.
 */
export const make = async (
  packageDir: string,
  alias: Readonly<Record<string, string>>
): Promise<ReadonlyArray<Budget.Part>> => {
  const compiled = (name: string) => join(packageDir, `build/src/${name}.js`)
  const machinery = await part(compiled("Machinery"), "machinery.js", alias)
  const lazy = await part(compiled("lazy"), "lazy.js", alias)
  const index = await part(compiled("index"), "index.js", alias)
  FacadeWithout.check()
  Budget.checkFacade({ machinery, lazy, index })
  return [machinery, lazy, index]
}
