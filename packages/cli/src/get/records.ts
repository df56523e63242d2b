/**
 * What a run over a manifest leaves beside its files, in `.transfer` within their directory (gen3 12):
 *
 *     report-<time>.jsonl     one line for each row, then the summary
 *     summary.json            that summary
 *     failed-manifest.json    the rows to try again; there only if there are any
 *     proven                  what need not be read again by the next run
 *     names                   of rows that the list does not name
 */
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import type { DownloadManifestOptions, EngineDoor, ManifestResult } from '../engine.ts'
import { ProgramError } from '../errors.ts'
import type { GetFlags } from '../options/file.ts'
import { writeReason } from '../system-error.ts'
import type { ListRequest } from './entries.ts'
import { openReport, type Report } from './report.ts'
import { openRetryManifest, type RunEnd } from './retry-manifest.ts'

export interface Records {
  /** For `downloadManifest`. */
  readonly kept: Pick<DownloadManifestOptions, 'state' | 'names'>
  /** Where the report is: the one that was asked for, or the one that a manifest always has. */
  readonly reportPath?: string | undefined
  add(result: ManifestResult): void
  end(summary: Record<string, unknown>): void
  close(end: RunEnd): void
}

export function openRecords(
  request: ListRequest,
  flags: GetFlags,
  { makeDirectories }: Pick<EngineDoor, 'makeDirectories'>,
): Records {
  const asked = flags.report === undefined ? undefined : openReport(flags.report)
  if (request.kind !== 'manifest') return onlyReport(asked, flags.report)
  const root = resolve(request.directory)
  const directory = join(root, '.transfer')
  tried(directory, () => {
    makeDirectories(directory)
    sweep(directory)
  })
  const time = new Date().toISOString().replaceAll(/[:.]/g, '-')
  const ownPath = join(directory, `report-${time}.jsonl`)
  const report = openReport(ownPath)
  const retryPath = join(directory, 'failed-manifest.json')
  const retry = openRetryManifest(retryPath, root, {
    // A layout that makes more of a name would make it of the planned name again.
    keepsNames: flags.layout === undefined || flags.layout === 'original',
    mayRemove: resolve(request.file) === retryPath || listOf(join(directory, 'summary.json')) === request.file,
  })
  return {
    kept: { state: join(directory, 'proven'), names: join(directory, 'names') },
    reportPath: flags.report ?? ownPath,
    add(result) {
      report.add(result.outcome)
      asked?.add(result.outcome)
      retry.add(result)
    },
    end(summary) {
      report.add(summary)
      asked?.add(summary)
      const path = join(directory, 'summary.json')
      tried(path, () => {
        const next = `${path}.${process.pid}.new`
        writeDurably(next, `${JSON.stringify({ list: request.file, ...summary }, undefined, 2)}\n`)
        renameSync(next, path)
      })
    },
    close(end) {
      report.close()
      asked?.close()
      retry.close(end)
    },
  }
}

/** On the disk before it has its name: a summary that says ok must not turn out empty after a power cut. */
function writeDurably(path: string, text: string): void {
  const fd = openSync(path, 'w')
  try {
    writeFileSync(fd, text)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** What killed runs were writing. */
function sweep(directory: string): void {
  for (const name of readdirSync(directory)) {
    const pid = /\.(\d+)\.new$/.exec(name)?.[1]
    if (pid === undefined || isRunning(Number(pid))) continue
    try {
      unlinkSync(join(directory, name))
    } catch {
      // Another run swept it.
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Which list the last run in this directory was of. */
function listOf(summaryPath: string): unknown {
  try {
    return JSON.parse(readOrdinary(summaryPath)).list
  } catch {
    return undefined
  }
}

/** A FIFO of this name would keep us waiting. */
function readOrdinary(path: string): string {
  const fd = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  try {
    return fstatSync(fd).isFile() ? readFileSync(fd, 'utf8') : ''
  } finally {
    closeSync(fd)
  }
}

function onlyReport(report: Report | undefined, reportPath: string | undefined): Records {
  return {
    kept: {},
    reportPath,
    add: ({ outcome }) => report?.add(outcome),
    end: summary => report?.add(summary),
    close: () => report?.close(),
  }
}

function tried<Result>(path: string, action: () => Result): Result {
  try {
    return action()
  } catch (error) {
    throw new ProgramError('Disk', `Cannot write ${path}: ${writeReason(error)}`, {
      remedy: 'Check the path and its permissions.',
      cause: error,
    })
  }
}
