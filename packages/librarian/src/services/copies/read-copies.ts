/**
 * Full reads of copies, and what they prove (reliability C1, C2): the one way by which a reading is made and recorded, for
 * whoever validates, downloads or deletes. A read that is not good is made again before it is a verdict; both are recorded.
 * Nothing here is decided by a cached result.
 */
import { LibrarianError } from '@arriero/api'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { File, Instance } from '../../catalogue/operations/instances.ts'
import type { NewReading } from '../../catalogue/operations/readings.ts'
import type { CopyState } from '../../catalogue/schema.ts'
import type { Log } from '../../log.ts'
import type { Reading } from '../../stores/store.ts'
import type { Stores } from '../../stores/stores.ts'
import type { Alarms } from '../alarms.ts'
import { createLimit } from '../limit.ts'
import { treeDifference } from './tree-difference.ts'

/** What must be known of a file to tell whether a copy is right. */
export type ReadableFile = Pick<File, 'name' | 'kind' | 'size' | 'checksum' | 'sha256'>
export type ReadableCopy = Pick<Instance, 'id' | 'store_id'>

export interface CopyReading {
  readonly state: CopyState
  readonly medium: 'medium' | 'cache'
  /** Wire form, by the function of the recorded checksum; undefined where nothing could be read. */
  readonly checksum: string | undefined
  readonly size: number | undefined
  /** Why it could not be read, or how it differs: of a tree, in which members. */
  readonly reason: string | undefined
}

export interface CopyReader {
  /** Reads all of it now. Calls for the same copy that come while one runs have its result. */
  read(file: ReadableFile, copy: ReadableCopy, options?: { isDirect?: boolean }): Promise<CopyReading>

  /**
   * Somebody met bad bytes while serving: recorded at once, so that the copy is not served meanwhile, then read again in the
   * background. That second reading gives the verdict.
   */
  doubt(file: ReadableFile, copy: ReadableCopy, met: { readonly state: CopyState; readonly reason: string }): void

  /** The reading of this copy that is under way; its verdict is not in the catalogue yet. */
  underWay(copy: Pick<ReadableCopy, 'id'>): Promise<CopyReading> | undefined

  /** Resolves when nothing is being read. */
  settled(): Promise<void>
}

export interface CopyReaderOptions {
  readonly catalogue: Pick<Catalogue, 'instances' | 'readings'>
  readonly stores: Pick<Stores, 'byId'>
  readonly alarms: Alarms
  readonly log: Log
  /** Of proofs: this librarian. */
  readonly by: string
  /** Copies at once. */
  readonly atOnce: number
}

type Finding = NewReading & { readonly reason: string | undefined }

export function createCopyReader({ catalogue, stores, alarms, log, by, atOnce }: CopyReaderOptions): CopyReader {
  const limit = createLimit(atOnce)
  const running = new Map<string, Promise<CopyReading>>()

  async function readTwice(file: ReadableFile, copy: ReadableCopy, isDirect: boolean): Promise<CopyReading> {
    const first = await readOnce(file, copy, isDirect)
    const readings = first.outcome === 'ok' ? [first] : [first, await readOnce(file, copy, isDirect)]
    await catalogue.readings.record({ by, readings })
    return await verdict(file, copy, readings.at(-1)!)
  }

  async function readAgain(file: ReadableFile, copy: ReadableCopy, first: Finding): Promise<CopyReading> {
    await catalogue.readings.record({ by, readings: [first] })
    await tell(file, copy, first)
    const second = await limit(() => readOnce(file, copy, false))
    await catalogue.readings.record({ by, readings: [second] })
    return await verdict(file, copy, second)
  }

  async function verdict(file: ReadableFile, copy: ReadableCopy, last: Finding): Promise<CopyReading> {
    if (last.outcome !== 'ok') await tell(file, copy, last)
    const { outcome, medium, checksum, size, reason } = last
    return { state: outcome, medium, checksum: checksum ?? undefined, size: size ?? undefined, reason }
  }

  async function readOnce(file: ReadableFile, copy: ReadableCopy, isDirect: boolean): Promise<Finding> {
    const site = stores.byId(copy.store_id)
    const reading: Reading = site
      ? await site.store.examine(file.name, { kind: file.kind, checksum: file.checksum, isDirect })
      : { outcome: 'unavailable', reason: `store ${copy.store_id} is not in the settings` }
    return await judge(file, copy, reading)
  }

  async function judge(file: ReadableFile, { id }: ReadableCopy, reading: Reading): Promise<Finding> {
    if (reading.outcome !== 'read') return unread(id, reading.outcome, reading.reason)
    const { medium, sha256, size, checksum, fingerprint } = reading
    const reason = await differenceOf(file, reading)
    const outcome = reason === undefined ? 'ok' : 'mismatch'
    return { instanceId: id, outcome, medium, sha256, size, checksum, fingerprint, reason }
  }

  async function differenceOf(
    file: ReadableFile,
    { size, checksum, sha256, manifest }: Reading & { outcome: 'read' },
  ): Promise<string | undefined> {
    const whole = wholeDifference(file, { size, checksum, sha256 })
    if (whole === undefined || manifest === undefined) return whole
    const recorded = await catalogue.instances.treeOf({ name: file.name })
    const members = recorded === undefined ? '' : treeDifference(recorded, manifest)
    return members === '' ? whole : members
  }

  async function tell(file: ReadableFile, copy: ReadableCopy, { outcome, reason }: Finding): Promise<void> {
    const path = stores.byId(copy.store_id)?.store.pathOf(file.name) ?? `on store ${copy.store_id}`
    await alarms.raise({
      severity: outcome === 'mismatch' ? 'critical' : 'error',
      category: outcome === 'mismatch' ? 'data_integrity' : 'data_availability',
      message: `The copy ${path} of ${file.name} is ${outcome}: ${reason ?? 'read twice'}`,
      caller: 'validation',
    })
  }

  /** One reading of a copy at a time, however many ask. */
  function once(key: string, read: () => Promise<CopyReading>): Promise<CopyReading> {
    const known = running.get(key)
    if (known) return known
    const reading = read().finally(() => running.delete(key))
    running.set(key, reading)
    return reading
  }

  return {
    read: (file, copy, { isDirect = false } = {}) =>
      once(`${copy.id}/${isDirect}`, () => limit(() => readTwice(file, copy, isDirect))),

    doubt(file, copy, { state, reason }) {
      const reading = once(`${copy.id}/false`, () => readAgain(file, copy, unread(copy.id, state, reason)))
      reading.catch(error => log.error({ err: error, file: file.name }, 'Cannot read a doubtful copy again'))
    },

    underWay: ({ id }) => running.get(`${id}/false`),

    async settled() {
      while (running.size > 0) await Promise.allSettled(running.values())
    },
  }
}

function unread(instanceId: number, outcome: CopyState, reason: string): Finding {
  const nothing = { sha256: null, size: null, checksum: null, fingerprint: null }
  return { instanceId, outcome, medium: 'cache', ...nothing, reason }
}

function wholeDifference(
  file: ReadableFile,
  { size, checksum, sha256 }: { size: number; checksum: string; sha256: string },
): string | undefined {
  if (size !== file.size) return `it must have ${file.size} bytes, it has ${size}`
  if (file.sha256 !== null && sha256 !== file.sha256) return `its SHA-256 must be ${file.sha256}, it is ${sha256}`
  return checksum === file.checksum ? undefined : `it must have ${file.checksum}, it has ${checksum}`
}

/** The file and all copies at this site. @throws LibrarianError `NotFound` */
export async function findFile(catalogue: Pick<Catalogue, 'instances'>, name: string) {
  const found = await catalogue.instances.ofFile({ name })
  if (found) return found
  throw new LibrarianError('NotFound', `There is no file ${name}`, {
    remedy: 'Check the name; `arriero search` takes * and ?.',
  })
}
