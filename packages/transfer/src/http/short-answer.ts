/** What questions with short answers share, whoever asks them: redirects that take no secrets along, and bounded bodies. */
import { TransferError } from '../errors.ts'
import { oneHeader } from '../integrity/headers.ts'
import type { Exchange } from './general-lane.ts'
import { type Hop, isRedirect, nextHop } from './redirects.ts'

export interface Followed {
  readonly exchange: Exchange
  /** Where the redirects ended. */
  readonly hop: Hop
}

/** Sends a GET from hop to hop until somebody answers it. */
export async function follow(
  first: Hop,
  send: (hop: Hop) => Promise<Exchange>,
  { allowDowngrade }: { readonly allowDowngrade?: boolean | undefined } = {},
): Promise<Followed> {
  for (let hop = first; ; ) {
    const exchange = await send(hop)
    if (!isRedirect(exchange.status)) return { exchange, hop }
    await exchange.drain()
    hop = nextHop(hop, oneHeader(exchange.headers, 'location'), { secretHeaders: NONE, allowDowngrade })
  }
}

const NONE: ReadonlySet<string> = new Set()

/** The body, or its first `most` bytes if it is longer. */
export async function takeBody(exchange: Exchange, most: number): Promise<{ bytes: Buffer; isCut: boolean }> {
  const pieces: Uint8Array[] = []
  let size = 0
  for (let bytes = await exchange.next(); bytes; bytes = await exchange.next()) {
    pieces.push(bytes)
    size += bytes.length
    if (size <= most) continue
    exchange.cancel()
    return { bytes: Buffer.concat(pieces).subarray(0, most), isCut: true }
  }
  return { bytes: Buffer.concat(pieces), isCut: false }
}

/**
 * The whole body.
 *
 * @param what is done, for messages: `ask https://…`
 * @throws TransferError Protocol when it is longer than `most` bytes
 */
export async function wholeBody(exchange: Exchange, most: number, what: string, uri: string): Promise<Buffer> {
  const { bytes, isCut } = await takeBody(exchange, most)
  if (!isCut) return bytes
  const message = `Cannot ${what}: the server's answer is longer than ${most} bytes`
  throw new TransferError('Protocol', message, { url: uri, status: exchange.status, retriable: false })
}
