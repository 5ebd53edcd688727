/**
 * Answers what Node cannot read as a request, or stops waiting for.
 */
import { STATUS_CODES } from "node:http"
import type { Duplex } from "node:stream"
import * as Problem from "../../Problem.ts"
import * as Answers from "./Answers.ts"
import * as Guard from "./Guard.ts"

const problemOf = (error: NodeJS.ErrnoException): Problem.Problem => {
  switch (error.code) {
    case "HPE_HEADER_OVERFLOW":
      return Problem.make("headers_too_large")
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return Problem.make("request_timeout")
    default:
      return Problem.make("invalid_request", { detail: "the request cannot be read" })
  }
}

const written = (problem: Problem.Problem): string => {
  const { body, headers, status } = Answers.render(problem)
  const all = { ...headers, "content-length": Buffer.byteLength(body), ...Guard.headers, connection: "close" }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`)
  return [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`, ...lines, "", body].join("\r\n")
}

/** A listener for `clientError`. */
export const answer = (error: NodeJS.ErrnoException, socket: Duplex): void => {
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy()
    return
  }
  socket.end(written(problemOf(error)))
}
