import { Readable, type Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib'
import { TransferError } from '../errors.ts'
import type { Landing } from '../source.ts'
import type { Exchange } from './general-lane.ts'
import { pour } from './pour.ts'
import type { StoredCheck } from './stored-check.ts'

const DECODERS: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
}

/** Whether bodies in this coding can be decoded; several codings on top of each other cannot. */
export function canDecode(coding: string): boolean {
  return Object.hasOwn(DECODERS, coding)
}

/**
 * Pours a coded body decoded (retrieval 8.4). The coded stream must come to its own proper end: one that was cut is
 * an error, whatever the framing said (reliability 5: "gzip cut short").
 */
export async function pourDecoded(
  exchange: Exchange,
  coding: string,
  landing: Landing,
  { uri, signal, check }: DecodeOptions,
): Promise<void> {
  const decoder = DECODERS[coding]?.()
  if (!decoder) throw new TransferError('Unsupported', `Cannot decode ${uri}: its coding is ${coding}`, { url: uri })
  try {
    await pipeline(Readable.from(pieces(exchange, check)), decoder, async (decoded: AsyncIterable<Uint8Array>) => {
      for await (const bytes of decoded) {
        if (!(await pour(landing, bytes, signal))) throw ENOUGH
      }
    })
    // What the coding did not need is stored, too.
    for await (const _ of pieces(exchange, check)) signal.throwIfAborted()
  } catch (error) {
    if (error === ENOUGH) return exchange.cancel()
    signal.throwIfAborted()
    if (!isZlibError(error)) throw error
    throw new TransferError('Protocol', `Cannot decode ${uri}: its ${coding} stream is cut or damaged`, {
      url: uri,
      cause: error,
    })
  }
  check?.finish()
}

export interface DecodeOptions {
  /** Redacted, for messages. */
  readonly uri: string
  readonly signal: AbortSignal
  /** What the coded bytes are held to; not when the landing wants no more of them. */
  readonly check?: StoredCheck | undefined
}

/** The landing wants no more: not a failure. */
const ENOUGH = new Error('Enough')

async function* pieces(exchange: Exchange, check: StoredCheck | undefined): AsyncIterable<Uint8Array> {
  for (let bytes = await exchange.next(); bytes; bytes = await exchange.next()) {
    check?.add(bytes)
    yield bytes
  }
}

function isZlibError(error: unknown): boolean {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && /^(Z_|ERR_ZLIB|ERR__ERROR_FORMAT|ERR_BROTLI|ERR_|ZSTD_)/.test(code)
}
