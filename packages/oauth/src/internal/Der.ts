/**
 * As much of DER (X.690) as it takes to tell private keys apart, and to put a PKCS#1 key into PKCS#8.
 */

export const tags = { integer: 0x02, octetString: 0x04, objectIdentifier: 0x06, sequence: 0x30 } as const

export interface Element {
  readonly tag: number
  readonly content: Uint8Array
  /** What follows it. */
  readonly rest: Uint8Array
}

/** The first element of `bytes`; nothing when it is cut off or not in DER. */
export const read = (bytes: Uint8Array): Element | undefined => {
  const [tag, first] = bytes
  if (tag === undefined || first === undefined) return undefined
  const lengthBytes = first < 0x80 ? 0 : first - 0x80
  // Four bytes of length are more than any key has.
  if (first === 0x80 || lengthBytes > 4 || bytes.length < 2 + lengthBytes) return undefined
  const length = lengthBytes === 0
    ? first
    : bytes.subarray(2, 2 + lengthBytes).reduce((sum, byte) => sum * 256 + byte, 0)
  const start = 2 + lengthBytes
  return bytes.length < start + length
    ? undefined
    : { tag, content: bytes.subarray(start, start + length), rest: bytes.subarray(start + length) }
}

/** The content of an element that is all there is and has this tag. */
export const readOnly = (bytes: Uint8Array, tag: number): Uint8Array | undefined => {
  const element = read(bytes)
  return element?.tag === tag && element.rest.length === 0 ? element.content : undefined
}

const lengthOf = (length: number): ReadonlyArray<number> => {
  if (length < 0x80) return [length]
  const bytes: Array<number> = []
  for (let left = length; left > 0; left = Math.floor(left / 256)) bytes.unshift(left % 256)
  return [0x80 + bytes.length, ...bytes]
}

export const write = (tag: number, ...parts: ReadonlyArray<Uint8Array>): Uint8Array<ArrayBuffer> => {
  const content = parts.flatMap((part) => Array.from(part))
  return Uint8Array.from([tag, ...lengthOf(content.length), ...content])
}
