import { open, stat } from 'node:fs/promises'
import { diskError } from './disk-error.ts'
import { type EngineParts, withEngine } from './engine.ts'
import { TransferError } from './errors.ts'
import { chooseExpectations, type StatedChecksum } from './integrity/choose-expectations.ts'
import { createDigester } from './integrity/digester.ts'
import { digestsFor, partAlgorithm } from './integrity/digests.ts'
import { loadHashers } from './integrity/hasher.ts'
import { parseChecksum, parseChecksumArgument } from './integrity/parse-checksum.ts'
import { searchComposites } from './integrity/search-composites.ts'
import type { Expectation, Verification } from './integrity/verification.ts'
import { verify } from './integrity/verify.ts'
import type { ChecksumInput, FetchOptions } from './options.ts'

/** Bytes read at once; also what one hash message carries. */
const READ = 4 << 20

/** Options of `verifyFile()`. */
export interface VerifyFileOptions extends Pick<FetchOptions, 'engine' | 'signal'> {
  /** Bytes, if known. */
  readonly size?: number | undefined
  /** Hears of every piece that was read. */
  readonly onProgress?: ((bytes: number) => void) | undefined
}

/**
 * Reads a file again in full and holds it to its checksums.
 *
 * @throws TransferError ChecksumMismatch, SizeMismatch, Unverifiable; NotFound when it is missing; Disk when it cannot
 *   be read.
 */
export async function verifyFile(
  path: string,
  checksums: readonly ChecksumInput[],
  options: VerifyFileOptions = {},
): Promise<Verification> {
  const stated: StatedChecksum[] = checksums.map(input =>
    typeof input === 'string' ? parseChecksumArgument(input) : parseChecksum(input.algorithm, input.value),
  )
  return withEngine(options, async engine => {
    const { size } = await stat(path).catch(error => {
      throw (error as NodeJS.ErrnoException).code === 'ENOENT'
        ? new TransferError('NotFound', `Cannot verify ${path}: there is no such file`, { file: path })
        : diskError(error, 'verify', path)
    })
    const signal = options.signal ?? new AbortController().signal
    return verifyAgainst(path, chooseExpectations(stated, [], [], size), { engine, signal }, options)
  })
}

/** `verifyFile` for expectations that are definite already. */
export async function verifyAgainst(
  path: string,
  expectations: readonly Expectation[],
  { engine, signal }: { readonly engine: EngineParts; readonly signal: AbortSignal },
  { size: statedSize, onProgress }: Pick<VerifyFileOptions, 'size' | 'onProgress'> = {},
): Promise<Verification> {
  const wanted = digestsFor(expectations)
  await loadHashers([...wanted.algorithms, ...wanted.composites.map(({ algorithm }) => partAlgorithm(algorithm))])
  const handle = await open(path, 'r').catch(error => {
    throw diskError(error, 'read', path)
  })
  const slots = engine.slots
  try {
    const { size } = await handle.stat()
    const digester = createDigester({ ...wanted, size, pool: engine.pool })
    // Two slots: one is read while the other is hashed.
    let busy: Promise<unknown> = Promise.resolve()
    try {
      for (let at = 0; at < size; ) {
        const slot = await slots.reserve(Math.min(READ, slots.budget, size - at), signal)
        const { bytesRead } = await handle.read(slot.bytes, 0, slot.length, at).catch(error => {
          slot.release()
          throw diskError(error, 'read', path)
        })
        if (bytesRead === 0) {
          slot.release()
          break
        }
        await busy
        const offset = at
        busy = Promise.resolve(digester.add(offset, slot.bytes.subarray(0, bytesRead))).finally(() => slot.release())
        at += bytesRead
        onProgress?.(bytesRead)
      }
      await busy
      const digests = await searchComposites(await digester.finish(size), {
        read: async (offset, into) => void (await handle.read(into, 0, into.length, offset)),
        signal,
      })
      return verify(expectations, digests, size, { statedSize: statedSize ?? size })
    } finally {
      await busy.catch(() => {})
      digester.close()
    }
  } finally {
    await handle.close()
  }
}
