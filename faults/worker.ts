/**
 * A thread that wants a token for the environment it is given.
 */
import { Client } from "@effect-identity/client"
import { parentPort, workerData } from "node:worker_threads"

Object.assign(process.env, workerData)
parentPort?.postMessage(await new Client().getAccessToken())
