/** What is to be done when the target exists (retrieval 10.6). A name alone never proves anything. */
import { stat } from 'node:fs/promises'
import { diskError } from './disk-error.ts'
import { TransferError } from './errors.ts'
import { fetchResource } from './fetch-resource.ts'
import { chooseExpectations } from './integrity/choose-expectations.ts'
import type { Expectation, Verification } from './integrity/verification.ts'
import type { DownloadOptions } from './options.ts'
import type { FileProgress } from './progress.ts'
import type { Resource } from './resource.ts'
import type { DownloadResult } from './results.ts'
import { createCompareSink } from './sinks/compare.ts'
import type { Task } from './task.ts'
import { verifyAgainst } from './verify-file.ts'

/**
 * Judges a target that may exist.
 *
 * @returns undefined when the fetch should go on; the result when what is there is provably the same
 * @throws TransferError Exists when it may not be touched; Disk when it is no file.
 */
export async function judgeExisting(
  path: string,
  task: Task,
  options: DownloadOptions,
  file: FileProgress,
): Promise<DownloadResult | undefined> {
  const there = await statOf(path)
  if (!there) return undefined
  if (!there.isFile()) throw diskError({ code: there.isDirectory() ? 'EISDIR' : 'EEXIST' }, 'write', path)
  const { ifExists = 'error' } = options
  if (ifExists === 'overwrite' || ifExists === 'rename') return undefined
  const stated = chooseExpectations(task.stated, task.listed, [], there.size).filter(one => one.algorithm !== 'null')
  if (ifExists === 'repair') return judgeForRepair(path, stated, there, task)
  if (stated.length > 0) return judgeByDigest(path, stated, there.size, task)
  if (ifExists === 'verify') return judgeByFetching(path, task, file)
  if (ifExists === 'skip') return judgeByProbing(path, there, task)
  throw new TransferError('Exists', `Cannot write ${path}: it exists already`, { file: path })
}

async function judgeByDigest(
  path: string,
  expectations: readonly Expectation[],
  size: number,
  task: Task,
  resource?: Resource,
): Promise<DownloadResult> {
  const verification = await verifyAgainst(path, expectations, task).catch(error => {
    if (!(error instanceof TransferError) || error.code !== 'ChecksumMismatch') throw error
    const message = `Cannot write ${path}: it exists already and is another file (${expectations[0]?.algorithm} differs)`
    throw new TransferError('Exists', message, { file: path, cause: error })
  })
  return skipped(path, size, task, verification, resource)
}

/** Undefined where it must be fetched again: it is another file, or nothing tells what it should be. */
async function judgeForRepair(
  path: string,
  stated: readonly Expectation[],
  there: { readonly size: number; readonly mtimeMs: number },
  task: Task,
): Promise<DownloadResult | undefined> {
  const { size } = there
  if (task.size !== undefined && task.size !== size) return undefined
  if (task.size !== undefined && stated.length === 0) {
    return skipped(path, size, task, { size, lengthVerified: true, checks: [], proof: 'size', digests: {} })
  }
  const judged = stated.length > 0 ? judgeByDigest(path, stated, size, task) : judgeByProbing(path, there, task)
  return judged.catch(error => {
    if (error instanceof TransferError && error.code === 'Exists') return undefined
    throw error
  })
}

/** Reads the source and compares byte by byte; writes nothing. */
async function judgeByFetching(path: string, task: Task, file: FileProgress): Promise<DownloadResult> {
  const { resource, verification } = await fetchResource(task, () => ({
    task,
    file,
    path,
    sink: createCompareSink(path),
  }))
  return skipped(path, verification.size, task, { ...verification, proof: 'bytes' }, resource)
}

/** Asks the source for a digest or, failing that, for the very time that the file carries. */
async function judgeByProbing(
  path: string,
  there: { readonly size: number; readonly mtimeMs: number },
  task: Task,
): Promise<DownloadResult> {
  const places = await task.openPlaces()
  try {
    const resource = await places.pick().source.probe({ signal: task.signal })
    if (resource.size !== undefined && resource.size !== there.size) {
      const message = `Cannot write ${path}: it exists already with ${there.size} bytes, the source has ${resource.size}`
      throw new TransferError('Exists', message, { file: path })
    }
    const offered = chooseExpectations([], [], resource.checksums, there.size)
    if (offered.length > 0) return await judgeByDigest(path, offered, there.size, task, resource)
    const isSameTime = resource.lastModified !== undefined && Math.abs(resource.lastModified - there.mtimeMs) < 1000
    if (resource.size === there.size && isSameTime) {
      const verification = { size: there.size, lengthVerified: true, checks: [], proof: 'size', digests: {} } as const
      return skipped(path, there.size, task, verification, resource)
    }
    const message = `Cannot skip ${path}: nothing proves that it is the same file as the source's`
    throw new TransferError('Exists', message, { file: path })
  } finally {
    await places.close()
  }
}

function skipped(
  path: string,
  size: number,
  task: Task,
  verification: Verification,
  resource: Resource = { size, ranges: 'unproven', checksums: [] },
): DownloadResult {
  const timings = { firstByteMs: 0, fetchMs: 0, verifyMs: 0, publishMs: 0, totalMs: 0, hooksMs: 0 }
  return {
    uri: task.shownUri,
    path,
    bytes: size,
    status: 'skipped',
    isRepaired: false,
    resumedBytes: 0,
    networkBytes: 0,
    isDurable: false,
    resource,
    verification,
    timings,
    retries: 0,
  }
}

async function statOf(path: string) {
  try {
    return await stat(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw diskError(error, 'write', path)
  }
}
