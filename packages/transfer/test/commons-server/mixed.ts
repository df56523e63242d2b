/**
 * One row of a manifest for every switch of gen3 14, and what must become of each in the words of gen3 12. Faults are
 * small and short, so that a whole run takes seconds.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { testData } from '../data.ts'
import type { Added, Commons, ManifestRow } from './commons.ts'
import type { Fault, FaultOptions, SwitchedFault } from './fault-switches.ts'
import * as faults from './faults.ts'
import type { RecordOptions } from './options.ts'

export type MixedStatus =
  | 'downloaded'
  | 'resumed'
  | 'skipped_complete'
  | 'skipped_size_only'
  | 'duplicate'
  | 'unverified'
  | 'denied'
  | 'not_found'
  | 'invalid'
  | 'unsafe_name'
  | 'checksum_mismatch'
  | 'failed'

export interface MixedExpectation {
  readonly status: MixedStatus
  /** Also right, where the specification leaves it open. */
  readonly also?: readonly MixedStatus[] | undefined
}

export interface MixedFile {
  /** Below the target, by default naming (gen3 8.2). */
  readonly path: string
  readonly size: number
  readonly md5: string
}

export interface MixedRow {
  /** What is switched on. */
  readonly title: string
  /** A line of a manifest (M1). Rows expected to be `invalid` are not well-formed. */
  readonly entry: Partial<ManifestRow> & Readonly<Record<string, unknown>>
  readonly expected: MixedExpectation
  /** What a second run into the same directory makes of it, after `repair()`. */
  readonly again: MixedExpectation
  /**
   * What must be there after the first run, unless the outcome is one of `also` that leaves nothing; nothing else of
   * this row may be there, whatever the outcome.
   */
  readonly files: readonly MixedFile[]
  /** What must be there after the second run. */
  readonly filesAgain: readonly MixedFile[]
  /** Name that the manifest asked for, when another must be used. */
  readonly renamedFrom?: string | undefined
  /** Index of the row that this one repeats. */
  readonly duplicateOf?: number | undefined
}

export interface MixedOptions {
  /** The target directory of the coming run: one file is there already, complete. Default: no such row. */
  readonly directory?: string | undefined
  /** Rows that no program can take: it must be told to go on (`--skip-invalid`). Default true. */
  readonly hasInvalid?: boolean | undefined
  /** Bundles, which become directories. Default true. */
  readonly hasBundles?: boolean | undefined
  /** Bytes of most files. Default 50 000. */
  readonly size?: number | undefined
}

export interface Mixed {
  readonly rows: readonly MixedRow[]
  /** The rows' entries: the manifest. */
  readonly entries: readonly MixedRow['entry'][]
  /** Switches off what made rows fail that could have gone well. */
  repair(): void
}

/** The commons must have its default user, `tester`, and must not be asked for more than the rows. */
export function mixedCommons(commons: Commons, options: MixedOptions = {}): Mixed {
  const builder = new Builder(commons, options.size ?? 50_000)
  addGood(builder)
  addRefused(builder)
  addTransient(builder)
  addBodies(builder)
  addLocations(builder)
  addNames(builder)
  if (options.directory !== undefined) addComplete(builder, options.directory)
  if (options.hasBundles ?? true) addBundles(builder)
  if (options.hasInvalid ?? true) addInvalid(builder)
  const { rows } = builder
  return { rows, entries: rows.map(({ entry }) => entry), repair: () => builder.repair() }
}

interface RowOptions {
  readonly record?: RecordOptions
  readonly fault?: Fault
  readonly when?: FaultOptions
  /** `repair()` switches the fault off. */
  readonly isRepaired?: boolean
  /** Default `downloaded`. */
  readonly status?: MixedStatus
  readonly also?: readonly MixedStatus[]
  readonly again?: MixedExpectation
  /** Instead of what the manifest would say; undefined leaves a field out. */
  readonly entry?: Readonly<Record<string, unknown>>
  /** Path of the file; default its name. */
  readonly path?: string
}

const SKIPPED: MixedExpectation = { status: 'skipped_complete', also: ['skipped_size_only'] }
const PRESENT: readonly MixedStatus[] = ['downloaded', 'unverified', 'skipped_complete', 'resumed']

class Builder {
  readonly rows: MixedRow[] = []
  readonly commons: Commons
  readonly size: number
  readonly #repairable: SwitchedFault[] = []
  #count = 0

  constructor(commons: Commons, size: number) {
    this.commons = commons
    this.size = size
  }

  /** An object with content of its own, and its row. */
  add(title: string, options: RowOptions = {}): Added {
    const index = this.#count++
    const name = `${String(index).padStart(2, '0')}-${title.replaceAll(/[^A-Za-z0-9]+/g, '-')}.bin`
    const added = this.commons.add({ name, size: this.size + index, version: index % 256, ...options.record })
    if (options.fault) {
      const fault = this.commons.fault(added.guid, options.fault, options.when)
      if (options.isRepaired) this.#repairable.push(fault)
    }
    const entry = withoutUndefined({ ...added.row, ...options.entry })
    const path = options.path ?? String(entry.file_name ?? added.name)
    const file = { path, size: added.size, md5: added.md5 }
    const expected = { status: options.status ?? 'downloaded', also: options.also }
    const isThere = PRESENT.includes(expected.status)
    const again = options.again ?? (isThere ? SKIPPED : expected)
    const isThereAgain = isThere || PRESENT.includes(again.status)
    const asked = entry.file_name
    const renamedFrom = isThere && typeof asked === 'string' && asked !== path ? asked : undefined
    this.put({
      title,
      entry,
      expected,
      again,
      files: isThere ? [file] : [],
      filesAgain: isThereAgain ? [file] : [],
      renamedFrom,
    })
    return added
  }

  put(row: MixedRow): void {
    this.rows.push(row)
  }

  repair(): void {
    for (const fault of this.#repairable.splice(0)) fault.remove()
  }
}

function addGood(builder: Builder): void {
  builder.add('plain')
  builder.add('several MiB', { record: { size: 3 * 1024 * 1024 + 17 } })
  builder.add('zero bytes', { record: { size: 0, version: 0 } })
  builder.add('public', { record: { authz: ['/open'] } })
  builder.add('public by acl', { record: { acl: ['*'] } })
  builder.add('prefixed identifier', { record: { prefix: 'dg.MIX' } })
  builder.add('no name nor size nor digest in the manifest', {
    entry: { file_name: undefined, file_size: undefined, md5sum: undefined },
  })
  builder.add('size as text', { entry: { file_size: String(builder.size + builder.rows.length) } })
  builder.add('further fields', { entry: { subject_id: 's-1', case_ids: ['c-1'], nested: { of: 'no interest' } } })
  builder.add('only sha256', { record: { hashes: ['sha256'] } })
  builder.add('form null', { record: { form: null } })
  builder.add('no digest anywhere', {
    record: { hashes: false, etag: false },
    status: 'unverified',
    also: ['downloaded'],
  })
  const first = builder.rows.findIndex(({ title }) => title === 'plain')
  const { entry } = builder.rows[first]!
  const duplicate = { status: 'duplicate' } as const
  builder.put({
    title: 'same row again',
    entry,
    expected: duplicate,
    again: duplicate,
    files: [],
    filesAgain: [],
    duplicateOf: first,
  })
}

function addRefused(builder: Builder): void {
  builder.add('no permission', { record: { authz: ['/programs/secret'] }, status: 'denied' })
  // Denied when asked for alone; the bulk endpoint is content with either (gen3 2.4).
  builder.add('one of two resources', {
    record: { authz: ['/programs/test', '/programs/secret'] },
    status: 'denied',
    also: ['downloaded', 'skipped_complete'],
  })
  builder.add('not permitted by acl', { record: { acl: ['secret'] }, status: 'denied' })
  builder.add('storage denies', { fault: { status: 403 }, status: 'denied', also: ['failed'] })
  builder.add('no such record', {
    entry: { object_id: '00000000-0000-4000-8000-000000000404' },
    status: 'not_found',
  })
  builder.add('no location', { record: { locations: [] }, status: 'not_found', also: ['failed'] })
  builder.add('blank record', {
    record: { isBlank: true },
    status: 'not_found',
    also: ['failed'],
  })
  builder.add('nothing stored', { record: { locations: [{ state: 'missing' }] }, status: 'not_found' })
  builder.add('unsupported scheme', { record: { locations: ['sftp://files.example/x'] }, status: 'failed' })
  builder.add('bucket not configured', { record: { locations: [{ state: 'unconfigured' }] }, status: 'failed' })
  builder.add('commons refuses connections', { entry: { commons_url: 'http://127.0.0.1:9' }, status: 'failed' })
  builder.add('storage refuses connections', { record: { locations: [{ state: 'refused' }] }, status: 'failed' })
}

function addTransient(builder: Builder): void {
  builder.add('429 for the URL', { fault: faults.throttled(1), when: { at: 'url', times: 1 } })
  builder.add('500 for the URL', { fault: faults.failing(500), when: { at: 'url', times: 2 } })
  builder.add('503 for the URL', { fault: faults.failing(503), when: { at: 'url', times: 2 } })
  builder.add('HTML error for the URL', { fault: faults.htmlPage(502), when: { at: 'url', times: 2 } })
  builder.add('reset for the URL', { fault: faults.noAnswer('rst'), when: { at: 'url', times: 2 } })
  builder.add('503 for the record', {
    fault: faults.failing(503),
    when: { at: 'record', times: 2 },
    entry: { file_size: undefined, md5sum: undefined },
  })
  builder.add('being thawed', { fault: faults.thawing(1), when: { at: 'drs-access', times: 1 } })
  builder.add('429 at storage', { fault: faults.throttled(1), when: { times: 1 } })
  builder.add('500 at storage', { fault: faults.failing(500), when: { times: 2 } })
  builder.add('503 at storage', { fault: faults.failing(503), when: { times: 2 } })
  builder.add('403 once at storage', { fault: { status: 403 }, when: { times: 1 } })
  builder.add('reset at storage', { fault: faults.noAnswer('rst'), when: { times: 2 } })
  builder.add('URL expired', { fault: faults.expiredUrl(), when: { times: 1 } })
  builder.add('ExpiredToken', { fault: faults.expiredToken(), when: { times: 1 } })
  builder.add('503 at storage for ever', {
    fault: faults.failing(503),
    isRepaired: true,
    status: 'failed',
    again: { status: 'downloaded' },
  })
}

function addBodies(builder: Builder): void {
  const { size } = builder
  const half = Math.floor(size / 2)
  const fifth = Math.floor(size / 5)
  builder.add('slow', { fault: faults.slow(size), when: { times: 1 } })
  const once = { times: 1, only: faults.isLongerThan(half) }
  builder.add('cut once', { fault: faults.cut(half), when: once })
  builder.add('cut three times', {
    fault: faults.cut(fifth, 'fin'),
    when: { times: 3, only: faults.isLongerThan(fifth) },
  })
  builder.add('cut at one place for ever', {
    fault: faults.cutAt(half),
    isRepaired: true,
    status: 'failed',
    again: { status: 'resumed', also: ['downloaded'] },
  })
  builder.add('length too large', { fault: faults.wrongLength(size * 2), when: { times: 1 } })
  builder.add('length too small', { fault: faults.wrongLength(half), when: { times: 1 } })
  builder.add('chunked', { fault: faults.chunked() })
  builder.add('until the connection closes', { fault: faults.closeDelimited() })
  builder.add('range ignored', { fault: faults.ignoresRange() })
  builder.add('range ignored and cut', { fault: { ...faults.ignoresRange(), ...faults.cut(half) }, when: once })
  builder.add('wrong Content-Range', { fault: faults.wrongContentRange(), when: { times: 1 } })
  builder.add('416', { fault: faults.unsatisfiable(1, 'tail'), when: { times: 1 } })
  // What is cut belongs to another state of the object than what the record tells of and later requests get.
  builder.add('replaced in between', {
    fault: { ...faults.replaced(255), ...faults.cut(half) },
    when: once,
    also: ['failed'],
  })
  builder.add('entity tag per request', { fault: faults.etagPerRequest() })
  builder.add('wrong bytes once', { fault: faults.wrongByte(7), when: { times: 1, only: faults.covers(7) } })
  builder.add('wrong bytes for ever', {
    fault: faults.wrongByte(7),
    isRepaired: true,
    status: 'checksum_mismatch',
    again: { status: 'downloaded' },
  })
  builder.add('wrong digest in the record', {
    record: { hashes: { md5: '0'.repeat(32) } },
    status: 'checksum_mismatch',
  })
}

function addLocations(builder: Builder): void {
  const broken: readonly NonNullable<RecordOptions['locations']>[] = [
    [{ scheme: 's3', state: 'missing' }, { scheme: 'gs' }],
    [{ scheme: 's3', state: 'refused' }, { scheme: 'gs' }],
    [{ scheme: 's3', state: 'unconfigured' }, { scheme: 'gs' }],
    [{ scheme: 's3', fault: faults.wrongByte(0) }, { scheme: 'gs' }],
    [{ scheme: 's3', fault: { status: 503 } }, { scheme: 'gs' }],
  ]
  const titles = ['missing', 'refused', 'unconfigured', 'corrupt', '503']
  for (const [index, locations] of broken.entries()) {
    builder.add(`first of two locations ${titles[index]}`, { record: { locations } })
  }
  for (const shape of ['s3v2', 'cloudfront', 'gcsv2'] as const) {
    builder.add(`URL as of ${shape}`, { record: { locations: [{ shape }] } })
  }
  builder.add('in GCS', { record: { locations: [{ scheme: 'gs' }] } })
  builder.add('in Azure', { record: { locations: [{ scheme: 'az' }] } })
  const plain = builder.commons.api.certificate === undefined ? 'http' : 'https'
  builder.add('plain URL', { record: { locations: [{ scheme: plain }] } })
}

function addNames(builder: Builder): void {
  builder.add('null name', {
    record: { name: null, locations: [{ key: 'mixed/from-the-url.bin' }] },
    path: 'from-the-url.bin',
  })
  builder.add('name with directories', { record: { name: 'sub/directory/file.bin' } })
  builder.add('name that climbs', { record: { name: '../escape.bin' }, status: 'unsafe_name', also: ['invalid'] })
  builder.add('name that climbs inside', {
    record: { name: 'a/../../escape.bin' },
    status: 'unsafe_name',
    also: ['invalid'],
  })
  builder.add('absolute name', {
    record: { name: '/tmp/arriero-escape.bin' },
    status: 'unsafe_name',
    also: ['invalid'],
  })
  builder.add('300 characters', { record: { name: `${'n'.repeat(296)}.bin` }, path: `${'n'.repeat(251)}.bin` })
  const accented = 'Größe-データ.bin'
  builder.add('name that is not ASCII', { record: { name: accented.normalize('NFC') } })
  builder.add('decomposed name', {
    record: { name: `NFD-${accented}`.normalize('NFD') },
    path: `NFD-${accented}`.normalize('NFC'),
  })
  // Reserved on one system only, but a directory of data may be carried to it (retrieval 13.3).
  builder.add('reserved name', { record: { name: 'aux.txt' }, path: '_aux.txt' })
  builder.add('same name', { record: { name: 'same.bin' } })
  builder.add('same name again', { record: { name: 'same.bin' }, path: 'same_2.bin' })
}

function addComplete(builder: Builder, directory: string): void {
  const name = 'complete.bin'
  builder.add('complete already', { record: { name, size: 12_345, version: 0 }, status: 'skipped_complete' })
  const path = join(directory, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, testData(12_345))
}

function addBundles(builder: Builder): void {
  const { commons } = builder
  const object = (name: string, version: number) => commons.add({ name, size: 2000 + version, version })
  const put = (title: string, guid: string, files: readonly MixedFile[]) => {
    const entry = { object_id: guid, commons_url: commons.url }
    builder.put({ title, entry, expected: { status: 'downloaded' }, again: SKIPPED, files, filesAgain: files })
  }
  const at = (path: string, { size, md5 }: Added): MixedFile => ({ path, size, md5 })

  const [a, b, c, d, e] = ['a.bin', 'b.bin', 'c.bin', 'd.bin', 'e.bin'].map(object) as [
    Added,
    Added,
    Added,
    Added,
    Added,
  ]
  const flat = commons.bundle({ name: 'flat', contents: [{ id: a.guid, name: 'renamed.bin' }, b.guid] })
  put('bundle', flat.guid, [at('flat/renamed.bin', a), at('flat/b.bin', b)])

  const inner = commons.bundle({ name: 'inner', contents: [c.guid] })
  const outer = commons.bundle({ name: 'outer', contents: [d.guid, { id: inner.guid, name: 'within' }] })
  put('nested bundle', outer.guid, [at('outer/d.bin', d), at('outer/within/c.bin', c)])

  const id = '00000000-0000-4000-8000-00000000c1c1'
  const back = commons.bundle({ name: 'back', contents: [id] })
  commons.bundle({ id, name: 'cycle', contents: [e.guid, back.guid] })
  put('cyclic bundle', id, [at('cycle/e.bin', e)])
}

function addInvalid(builder: Builder): void {
  const invalid = { status: 'invalid' } as const
  const plain = () => builder.commons.add({ name: 'never.bin', size: 10 }).row
  const put = (title: string, entry: MixedRow['entry']) =>
    builder.put({ title, entry, expected: invalid, again: invalid, files: [], filesAgain: [] })
  put('no identifier', { file_name: 'never.bin', file_size: 10 })
  put('negative size', { ...plain(), file_size: -5 })
  put('fractional size', { ...plain(), file_size: 1.5 })
  put('size that is no number', { ...(plain() as object), file_size: 'ten' } as unknown as MixedRow['entry'])
  put('digest that is none', { ...plain(), md5sum: 'xyz' })
}

function withoutUndefined(entry: Readonly<Record<string, unknown>>): MixedRow['entry'] {
  return Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== undefined))
}
