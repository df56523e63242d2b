import { closeSync, fsyncSync, openSync, renameSync, unlinkSync, writeSync } from 'node:fs'
import { ProgramError } from '../errors.ts'
import type { Outcome } from '../engine.ts'
import { jsonLine } from '../text.ts'

/** A manifest of the rows that failed, for the next run; there only when the run has ended, and only if there are any. */
export interface RetryManifest {
  add(outcome: Outcome): void
  /** @param isWhole every row was told */
  close(isWhole: boolean): void
}

/** What a retry would not change is left out: the row itself must be corrected. */
const FINAL = new Set<Outcome['status']>(['invalid', 'unsafe_name'])

export function openRetryManifest(path: string): RetryManifest {
  let fd: number | undefined
  const next = `${path}.new`

  function write(text: string): void {
    try {
      fd ??= openSync(next, 'w')
      const bytes = Buffer.from(text)
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at)
    } catch (error) {
      throw new ProgramError('Disk', `Cannot write ${next}: ${(error as Error).message}`, { cause: error })
    }
  }

  return {
    add(outcome) {
      if (outcome.ok || FINAL.has(outcome.status) || outcome.row === undefined) return
      write(`${fd === undefined ? '[' : ','}\n${jsonLine(outcome.row)}`)
    },
    close(isWhole) {
      if (fd === undefined) {
        if (isWhole) removeQuietly(path)
        return
      }
      write('\n]\n')
      fsyncSync(fd)
      closeSync(fd)
      if (isWhole) renameSync(next, path)
      else unlinkSync(next)
    },
  }
}

/** That of an earlier run: nothing of it is left to do. */
function removeQuietly(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // There was none.
  }
}
