/**
 * An answer of Node's own HTTP. Whoever reads it a piece at a time reads `source`; the rest is for those who want all of it.
 */
import * as Effect from "effect/Effect"
import * as Cookies from "effect/http/Cookies"
import * as Headers from "effect/http/Headers"
import { DecodeError, HttpClientError, StatusCodeError } from "effect/http/HttpClientError"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import * as Response from "effect/http/HttpClientResponse"
import * as IncomingMessage from "effect/http/HttpIncomingMessage"
import * as UrlParams from "effect/http/UrlParams"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import { pipeArguments } from "effect/Pipeable"
import type * as Http from "node:http"
import * as MessageStream from "./MessageStream.ts"

const bytesOf = async (source: AsyncIterable<unknown>): Promise<ArrayBuffer> => {
  const pieces: Array<Uint8Array<ArrayBuffer>> = []
  for await (const piece of source) if (piece instanceof Uint8Array) pieces.push(new Uint8Array(piece))
  return new Blob(pieces).arrayBuffer()
}

export class NodeMessage extends Inspectable.Class implements Response.HttpClientResponse {
  readonly [IncomingMessage.TypeId]: typeof IncomingMessage.TypeId = IncomingMessage.TypeId
  readonly [Response.TypeId]: typeof Response.TypeId = Response.TypeId
  readonly request: HttpClientRequest
  readonly source: Http.IncomingMessage
  readonly url: string
  readonly headers: Headers.Headers
  readonly #failure: (cause: unknown) => HttpClientError
  /** Read once, for everyone who asks. */
  #bytes: Promise<ArrayBuffer> | undefined

  constructor(request: HttpClientRequest, source: Http.IncomingMessage, url: string) {
    super()
    this.request = request
    this.source = source
    this.url = url
    this.headers = Headers.fromInput(source.headers)
    this.#failure = (cause) => new HttpClientError({ reason: new DecodeError({ request, response: this, cause }) })
  }

  get status() {
    return this.source.statusCode ?? 0
  }
  /** None are read: nothing that is asked here is answered by a cookie. */
  get cookies() {
    return Cookies.empty
  }
  get remoteAddress() {
    return Option.fromUndefinedOr(this.source.socket.remoteAddress)
  }
  get stream() {
    return MessageStream.make(this.source, this.#failure)
  }
  get arrayBuffer() {
    return Effect.tryPromise({ try: () => this.#bytes ??= bytesOf(this.source), catch: this.#failure })
  }
  get text() {
    return Effect.map(this.arrayBuffer, (bytes) => new TextDecoder().decode(bytes))
  }
  get json() {
    // The parser quotes what it cannot read, and that may be a token.
    const fail = () => this.#failure(new SyntaxError("not JSON"))
    return Effect.flatMap(this.text, (text) => Effect.try({ try: () => JSON.parse(text), catch: fail }))
  }
  get urlParamsBody() {
    return Effect.map(this.text, (text) => UrlParams.fromInput(new URLSearchParams(text)))
  }
  get formData() {
    return Effect.fail(this.#failure(undefined))
  }
  get upgrade(): Effect.Effect<never, HttpClientError> {
    return Effect.fail(
      new HttpClientError({ reason: new StatusCodeError({ request: this.request, response: this }) })
    )
  }
  pipe() {
    return pipeArguments(this, arguments)
  }
  toJSON(): unknown {
    return { _id: "HttpClientResponse", status: this.status }
  }
}
