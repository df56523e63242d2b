/** The file that a profile's lines go to: written beside the transfer, whole at the end, and also when the program is left at once. */
import { closeSync, fstatSync, openSync, write, writeSync } from 'node:fs'
import { diskError } from '../disk-error.ts'
import type { TransferError } from '../errors.ts'

export interface ProfileFile {
  /** Never waits and never throws. */
  add(line: string): void
  /** Everything that was added is in the file, or `onFailure` was told. */
  close(): Promise<void>
}

/** ms: whoever looks at the file sees at most this much less than there is. */
const flushEveryMs = 1000

/**
 * Opens it, anew if it exists.
 *
 * @param onFailure told once when the file cannot be written any more, such as on a full disk; nothing is written after that
 * @throws TransferError when it cannot be opened
 */
export function openProfileFile(path: string, onFailure: (error: TransferError) => void): ProfileFile {
  const fd = opened(path)
  // With its place, a piece may be written twice: once by a thread that may not come to its end, once on leaving.
  const isSeekable = fstatSync(fd).isFile()
  let position = 0
  let pending = ''
  let piece: Buffer | undefined
  let lastFlush = performance.now()
  let hasFailed = false
  let onIdle: (() => void) | undefined

  const fail = (error: unknown) => {
    piece = undefined
    pending = ''
    if (!hasFailed) onFailure(diskError(error, 'write', path))
    hasFailed = true
    onIdle?.()
  }

  const flush = () => {
    lastFlush = performance.now()
    if (piece || pending === '') return
    piece = Buffer.from(pending)
    pending = ''
    writeOn()
  }

  const writeOn = () => {
    write(fd, piece!, 0, piece!.length, isSeekable ? position : null, (error, count) => {
      if (error) return fail(error)
      position += count
      if (count < piece!.length) {
        piece = piece!.subarray(count)
        return writeOn()
      }
      piece = undefined
      if (onIdle) {
        flush()
        if (!piece) onIdle()
      }
    })
  }

  const writeNow = () => {
    if (hasFailed) return
    const rest = Buffer.concat([isSeekable && piece ? piece : Buffer.alloc(0), Buffer.from(pending)])
    try {
      for (let at = 0; at < rest.length; ) {
        at += writeSync(fd, rest, at, rest.length - at, isSeekable ? position + at : null)
      }
    } catch {
      // Nobody is there any more to be told.
    }
  }
  process.once('exit', writeNow)

  return {
    add(line) {
      if (hasFailed) return
      pending += `${line}\n`
      if (performance.now() - lastFlush >= flushEveryMs) flush()
    },
    async close() {
      flush()
      if (piece) await new Promise<void>(resolve => (onIdle = resolve))
      process.removeListener('exit', writeNow)
      closeSync(fd)
    },
  }
}

function opened(path: string): number {
  try {
    return openSync(path, 'w')
  } catch (error) {
    throw diskError(error, 'write', path)
  }
}
