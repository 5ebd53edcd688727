/**
 * Node's own modules, asked for where they are used. To import one as a module reads everything that it exports, and some of that
 * is made when it is read: a WebSocket client in `node:http`, all root certificates in `node:tls`.
 */
import process from "node:process"

export const http = () => process.getBuiltinModule("node:http")

export const https = () => process.getBuiltinModule("node:https")

export const tls = () => process.getBuiltinModule("node:tls")
