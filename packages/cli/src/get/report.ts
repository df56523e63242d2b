import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { ProgramError } from '../errors.ts'
import { writeReason } from '../system-error.ts'
import { jsonLine } from '../text.ts'

/** A file with one JSON object per line: what became of each entry, then the summary. */
export interface Report {
  add(row: unknown): void
  /** Writes what is left and waits for the disk: a report that says `ok` must not vanish. */
  close(): void
}

const flushAtChars = 64 * 1024
const flushEveryMs = 500

/** Opened before the first transfer: a report that cannot be written is no surprise for the end of the night. */
export function openReport(path: string): Report {
  const fd = tried(path, () => openSync(path, 'w'))
  let pending = ''
  // Rows come in thousands per second; a look at the file shows those of half a second ago.
  const timer = setInterval(flushLater, flushEveryMs)
  timer.unref()
  let failure: unknown

  /** Nobody hears what a timer throws: the next row, or the end, does. */
  function flushLater(): void {
    try {
      flush()
    } catch (error) {
      failure ??= error
    }
  }

  function flush(): void {
    if (pending === '') return
    const bytes = Buffer.from(pending)
    pending = ''
    tried(path, () => {
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at)
    })
  }

  return {
    add(row) {
      if (failure) throw failure
      pending += `${jsonLine(row)}\n`
      if (pending.length >= flushAtChars) flush()
    },
    close() {
      clearInterval(timer)
      try {
        if (failure) throw failure
        flush()
        tried(path, () => syncIfFile(fd))
      } finally {
        closeSync(fd)
      }
    },
  }
}

/** Pipes and terminals cannot be synced. */
function syncIfFile(fd: number): void {
  try {
    fsyncSync(fd)
  } catch (error) {
    if (!['EINVAL', 'EROFS', 'ENOTSUP'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}

function tried<Result>(path: string, action: () => Result): Result {
  try {
    return action()
  } catch (error) {
    throw new ProgramError('Disk', `Cannot write the report ${path}: ${writeReason(error)}`, {
      remedy: 'Check the path and its permissions.',
      cause: error,
    })
  }
}
