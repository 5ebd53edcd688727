/**
 * What is measured, in the order of the table.
 */
import type { Measurement } from "./Row.ts"
import { bundles } from "./rows/Bundles.ts"
import { cached } from "./rows/Cached.ts"
import { fiber } from "./rows/Fiber.ts"
import { install } from "./rows/Install.ts"
import { keyed } from "./rows/Keys.ts"
import { refresh } from "./rows/Refresh.ts"
import { stampede } from "./rows/Stampede.ts"
import { start } from "./rows/Start.ts"

export const measurements: ReadonlyArray<Measurement> = [
  cached,
  fiber,
  stampede,
  refresh,
  start,
  install,
  bundles,
  keyed
]
