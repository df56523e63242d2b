import { closeSync, fsyncSync, openSync, renameSync, unlinkSync, writeSync } from 'node:fs'
import { relative } from 'node:path'
import type { Entry, ManifestResult, Outcome } from '../engine.ts'
import { ProgramError } from '../errors.ts'
import { writeReason } from '../system-error.ts'
import { jsonLine } from '../text.ts'

/** A manifest of the rows that failed, for the next run; there only when the run has ended, and only if there are any. */
export interface RetryManifest {
  add(result: ManifestResult): void
  close(end: RunEnd): void
}

/** How far a run came. */
export interface RunEnd {
  /** Every row that was read was told. */
  readonly isTold: boolean
  /** The list was read to its end. */
  readonly isWhole: boolean
}

/** What a retry would not change is left out: the row itself must be corrected. */
const FINAL = new Set<Outcome['status']>(['invalid', 'unsafe_name'])

/** @param directory of the run: names are kept as they were planned, or a shorter list would number them anew */
export function openRetryManifest(
  path: string,
  directory: string,
  { keepsNames, mayRemove }: { readonly keepsNames: boolean; readonly mayRemove: boolean },
): RetryManifest {
  let fd: number | undefined
  // Several programs may be at work in one directory.
  const next = `${path}.${process.pid}.new`

  function write(text: string): void {
    try {
      // URLs and headers of a list may hold secrets.
      fd ??= openSync(next, 'w', 0o600)
      const bytes = Buffer.from(text)
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at)
    } catch (error) {
      throw new ProgramError('Disk', `Cannot write ${next}: ${writeReason(error)}`, { cause: error })
    }
  }

  return {
    add({ entry, outcome }) {
      if (outcome.ok || FINAL.has(outcome.status)) return
      const path = outcome.path === undefined || !keepsNames ? undefined : relative(directory, outcome.path)
      write(`${fd === undefined ? '[' : ','}\n${jsonLine(rowOf(entry, path))}`)
    },
    close({ isTold, isWhole }) {
      if (fd === undefined) {
        if (isTold && isWhole && mayRemove) removeQuietly(path)
        return
      }
      write('\n]\n')
      fsyncSync(fd)
      closeSync(fd)
      if (isTold) renameSync(next, path)
      else unlinkSync(next)
    },
  }
}

/** The row as lists write it (gen3 4.1, retrieval 16). */
function rowOf(entry: Entry, path: string | undefined): Record<string, unknown> {
  const { id, uris, size, checksums, headers, range, extra } = entry
  const [uri = ''] = uris
  const commons = /^drs:\/\/([^/]+)\//i.exec(uri)?.[1]
  const object = { object_id: id, ...(commons === undefined || id === uri ? {} : { commons_url: commons }) }
  return {
    ...extra,
    // An id by itself would be one of a commons.
    ...(id === undefined || /^gdc:/i.test(uri) ? { urls: uris } : object),
    filepath: path ?? entry.path,
    size,
    checksums: Object.fromEntries(checksums.map(({ algorithm, value }) => [algorithm, value])),
    headers,
    range: range && `${range.start}-${range.end - 1}`,
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
