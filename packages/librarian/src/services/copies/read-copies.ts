/**
 * Full reads of copies, and what they prove (reliability C1, C2): the one way by which a reading is made and recorded, for
 * whoever validates, downloads or deletes. A read that is not good is made again before it is a verdict; both are recorded.
 * Nothing here is decided by a cached result.
 */
import { LibrarianError } from '@arriero/api'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { FirstDigest } from '../../catalogue/operations/digests.ts'
import type { File, Instance } from '../../catalogue/operations/instances.ts'
import type { NewReading } from '../../catalogue/operations/readings.ts'
import type { CopyState } from '../../catalogue/schema.ts'
import type { Log } from '../../log.ts'
import { outcomeOf } from '../../stores/outcomes.ts'
import type { Outcome, Reading } from '../../stores/store.ts'
import type { Stores } from '../../stores/stores.ts'
import type { Alarms } from '../alarms.ts'
import { createLimit } from '../limit.ts'
import { createFirstDigests } from './first-digests.ts'
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
  /** To the nonces, in their order, by the bytes that were read; empty where they could not be. */
  readonly answers: readonly string[]
}

export interface ReadOptions {
  /** Past the page cache where the store can. Default: false. */
  readonly isDirect?: boolean | undefined
  /** Hex. A reading that answers to them is made for whoever asked, and shared with nobody (reliability E5). */
  readonly nonces?: readonly string[] | undefined
  readonly signal?: AbortSignal | undefined
}

export interface CopyReader {
  /** Reads all of it now. Calls for the same copy that come while one runs have its result, unless they have nonces. */
  read(file: ReadableFile, copy: ReadableCopy, options?: ReadOptions): Promise<CopyReading>

  /**
   * Reads many, each once more where it was not good, and records nothing: whoever reads a whole store judges all that it has
   * found first (B4). In the order of the copies; what has failed for want of something else than bytes is an error.
   */
  look(copies: readonly CopyToRead[], options?: ReadOptions): Promise<Outcome<readonly Finding[]>[]>

  /**
   * Records what `look` has found, in one transaction, and tells of what is not good. A file that had no SHA-256 has the one that
   * was found good.
   */
  record(seen: readonly { readonly copy: CopyToRead; readonly findings: readonly Finding[] }[]): Promise<void>

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
  readonly catalogue: Pick<Catalogue, 'instances' | 'readings' | 'digests'>
  readonly stores: Pick<Stores, 'byId'>
  readonly alarms: Alarms
  readonly log: Log
  /** Of proofs: this librarian. */
  readonly by: string
  /** Copies at once. */
  readonly atOnce: number
}

export interface CopyToRead {
  readonly file: ReadableFile
  readonly instance: ReadableCopy
}

export interface Finding extends NewReading {
  readonly reason: string | undefined
  readonly answers: readonly string[]
  /** Of a tree whose manifest nobody has yet. */
  readonly manifest: string | undefined
}

interface Found {
  readonly file: ReadableFile
  readonly finding: Finding
}

export function createCopyReader({ catalogue, stores, alarms, log, by, atOnce }: CopyReaderOptions): CopyReader {
  const limit = createLimit(atOnce)
  const running = new Map<string, Promise<CopyReading>>()
  const keepFirstDigests = createFirstDigests({ catalogue, stores, log })

  async function readTwice(file: ReadableFile, copy: ReadableCopy, options: ReadOptions): Promise<CopyReading> {
    const first = await readOnce(file, copy, options)
    const readings = first.outcome === 'ok' ? [first] : [first, await readOnce(file, copy, options)]
    await record(readings.map(finding => ({ file, finding })))
    return await verdict(file, copy, readings.at(-1)!)
  }

  async function readAgain(file: ReadableFile, copy: ReadableCopy, first: Finding): Promise<CopyReading> {
    await record([{ file, finding: first }])
    await tell(file, copy, first)
    const second = await limit(() => readOnce(file, copy, {}))
    await record([{ file, finding: second }])
    return await verdict(file, copy, second)
  }

  async function record(found: readonly Found[]): Promise<void> {
    if (found.length === 0) return
    // What it does not record need not cross to its thread.
    await catalogue.readings.record({ by, readings: found.map(({ finding }) => readingToRecord(finding)) })
    const first = found.flatMap(one => firstDigestOf(one) ?? [])
    // The reading is made and recorded; the next one tries again.
    await keepFirstDigests(first).catch(error => log.warn({ err: error }, 'First digests of files could not be kept'))
  }

  async function verdict(file: ReadableFile, copy: ReadableCopy, last: Finding): Promise<CopyReading> {
    if (last.outcome !== 'ok') await tell(file, copy, last)
    return readingOf(last)
  }

  async function readOnce(file: ReadableFile, copy: ReadableCopy, options: ReadOptions): Promise<Finding> {
    const site = stores.byId(copy.store_id)
    const reading: Reading = site
      ? await site.store.examine(file.name, { ...options, kind: file.kind, checksum: file.checksum })
      : notInSettings(copy)
    return await judge(file, copy, reading)
  }

  async function look(copies: readonly CopyToRead[], options: ReadOptions): Promise<Outcome<readonly Finding[]>[]> {
    const [{ instance }] = copies as [CopyToRead]
    const site = stores.byId(instance.store_id)
    const asked = copies.map(({ file: { name, kind, checksum } }) => ({ name, kind, checksum }))
    const outcomes = site
      ? await limit(() => site.store.examineAll(asked, options))
      : copies.map(copy => ({ ok: true as const, value: notInSettings(copy.instance) }))
    return await Promise.all(outcomes.map((outcome, at) => judgeTwice(copies[at]!, outcome, options)))
  }

  /** At once where it is good, as nearly all are. */
  function judgeTwice(
    { file, instance }: CopyToRead,
    outcome: Outcome<Reading>,
    options: ReadOptions,
  ): Outcome<readonly Finding[]> | Promise<Outcome<readonly Finding[]>> {
    if (!outcome.ok) return outcome
    const reading = outcome.value
    if (reading.outcome === 'read' && wholeDifference(file, reading) === undefined) {
      return { ok: true, value: [findingOf(file, instance, reading, undefined)] }
    }
    return outcomeOf(async () => {
      const first = await judge(file, instance, reading)
      return [first, await limit(() => readOnce(file, instance, options))]
    })
  }

  async function judge(file: ReadableFile, copy: ReadableCopy, reading: Reading): Promise<Finding> {
    if (reading.outcome !== 'read') return unread(copy.id, reading.outcome, reading.reason)
    return findingOf(file, copy, reading, await differenceOf(file, reading))
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
    read(file, copy, options = {}) {
      const read = () => limit(() => readTwice(file, copy, options))
      // One that can be stopped, or was asked for with a nonce, is not another's to wait for.
      if (options.nonces || options.signal) return read()
      return once(`${copy.id}/${options.isDirect ?? false}`, read)
    },

    look: (copies, options = {}) => (copies.length === 0 ? Promise.resolve([]) : look(copies, options)),

    async record(seen) {
      await record(seen.flatMap(({ copy: { file }, findings }) => findings.map(finding => ({ file, finding }))))
      for (const { copy, findings } of seen) {
        const last = findings.at(-1)
        if (last && last.outcome !== 'ok') await tell(copy.file, copy.instance, last)
      }
    },

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

function readingToRecord({ instanceId, outcome, medium, sha256, size, checksum, fingerprint }: Finding): NewReading {
  return { instanceId, outcome, medium, sha256, size, checksum, fingerprint }
}

/** Undefined: the file has one, or the reading proves none. */
function firstDigestOf({ file, finding: { outcome, sha256, manifest } }: Found): FirstDigest | undefined {
  if (file.sha256 !== null || outcome !== 'ok' || sha256 === null) return undefined
  // What was taken for a file while nobody saw it may be a directory.
  if ((manifest !== undefined) !== (file.kind === 'tree')) return undefined
  return { name: file.name, sha256, manifest }
}

/** @param reason how it differs; undefined: it does not */
function findingOf(
  file: ReadableFile,
  { id: instanceId }: ReadableCopy,
  { medium, sha256, size, checksum, fingerprint, answers, ...reading }: Reading & { outcome: 'read' },
  reason: string | undefined,
): Finding {
  const outcome = reason === undefined ? 'ok' : 'mismatch'
  const manifest = file.sha256 === null ? reading.manifest : undefined
  return { instanceId, outcome, medium, sha256, size, checksum, fingerprint, reason, answers, manifest }
}

function unread(instanceId: number, outcome: CopyState, reason: string): Finding {
  const nothing = { sha256: null, size: null, checksum: null, fingerprint: null, answers: [], manifest: undefined }
  return { instanceId, outcome, medium: 'cache', ...nothing, reason }
}

function notInSettings({ store_id }: ReadableCopy): Reading {
  return { outcome: 'unavailable', reason: `store ${store_id} is not in the settings` }
}

function readingOf({ outcome, medium, checksum, size, reason, answers }: Finding): CopyReading {
  return { state: outcome, medium, checksum: checksum ?? undefined, size: size ?? undefined, reason, answers }
}

/** How bytes that were read differ from the recorded ones; undefined: they do not. */
export function wholeDifference(
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
