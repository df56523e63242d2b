/**
 * Makes an empty catalogue again from the stores alone (reliability G1, librarian 15).
 *
 *   refuse    a catalogue that holds anything, and a store whose disk is not there
 *   trail     the line about each name that counts: committed and not trashed since = a file with its own digest and a copy
 *             its bytes are looked for, not read: such copies are `never-checked` until somebody reads them
 *             trashed = a file without a copy: no other content comes under its name (reliability A4)
 *   scan      what lies in the store without a row is read in full. Where it is what a trail has under this name, its sender's
 *             digest is proven; else it is registered as unattested: its digest is ours
 *   quarantine what lies there has its row again, as the trail tells it
 *
 * Nothing is invented, and a trail that is broken is told and stops nobody: what it says behind the break is not believed, and
 * the bytes are found by the scan. What the trail has and the disk has not is a row without an available copy; what two stores
 * say differently is told and kept as the first said. Users, peers, transfers and errors are not in the stores, and stay away.
 */
import { instantOf, LibrarianError } from '@arriero/api'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { File } from '../../catalogue/operations/instances.ts'
import type { RebuiltFile } from '../../catalogue/operations/rebuilding.ts'
import type { FileKind } from '../../catalogue/schema.ts'
import type { Clock } from '../../clock.ts'
import type { TrailRecord } from '../../stores/store.ts'
import type { SiteStore, Stores } from '../../stores/stores.ts'
import { findQuarantined } from './find-quarantined.ts'
import { findUnknown } from './find-unknown.ts'
import { inPages } from './in-pages.ts'
import { findLastLines, isKept, type LastLines, lastRecords } from './last-lines.ts'
import { fileOfReading, fileOfRecord, problemOf } from './rebuilt-file.ts'
import { refuseFilled } from './refuse-filled.ts'

export interface RebuildOptions {
  readonly catalogue: Pick<Catalogue, 'rebuilding' | 'instances' | 'uploads'>
  readonly stores: Pick<Stores, 'all'>
  readonly clock: Clock
  /**
   * What a directory without a line in the trail is. `none`: nothing, each file in it is a file of its own · `leaf`: one tree,
   * where it holds files and no directory, and nothing of it is known.
   */
  readonly directories: 'none' | 'leaf'
  readonly signal?: AbortSignal | undefined
}

export interface RebuildReport {
  /** Copies as the trails have them, or of what they have by reading. */
  attested: number
  /** By reading what no trail knows, and nobody has sent with a digest. */
  unattested: number
  /** What could not be registered, or not as available, and why; and where a trail is broken. */
  readonly problems: string[]
}

const PAGE = 200

/** @throws LibrarianError `Conflict`, `StoreUnavailable` */
export async function rebuild(options: RebuildOptions): Promise<RebuildReport> {
  const { catalogue, stores } = options
  await refuseFilled(catalogue)
  for (const { name, store } of stores.all) {
    const state = await store.state()
    if (!state.available)
      throw new LibrarianError('StoreUnavailable', `Cannot rebuild: store ${name} must be there: ${state.reason}`)
  }
  const report: RebuildReport = { attested: 0, unattested: 0, problems: [] }
  const trails: (readonly [SiteStore, LastLines])[] = []
  for (const site of stores.all) trails.push([site, await fromTrail(site, options, report)])
  // Only now: what one trail attests must not be unattested because another store was scanned before.
  for (const [site, lines] of trails) await fromDisk(site, lines, options, report)
  for (const site of stores.all) report.problems.push(...(await findQuarantined(site, catalogue)))
  return report
}

async function fromTrail(site: SiteStore, options: RebuildOptions, report: RebuildReport): Promise<LastLines> {
  const { catalogue, signal } = options
  const lines = await findLastLines(site)
  report.problems.push(...lines.problems)
  await catalogue.rebuilding.raiseOrder({ over: lines.order })
  for await (const page of inPages(lastRecords(site, lines), PAGE)) {
    signal?.throwIfAborted()
    const files = await Promise.all(page.map(record => fileOfRecord(site, record)))
    await site.store.completeList(page.filter(isKept))
    const isNew = await register(site, files, options, report)
    report.attested += files.filter(({ copy }, index) => copy && isNew[index]).length
  }
  return lines
}

async function fromDisk(
  site: SiteStore,
  lines: LastLines,
  options: RebuildOptions,
  report: RebuildReport,
): Promise<void> {
  const { found, problems } = await findUnknown(site, { ...options, lines })
  report.problems.push(...problems)
  const names = new Set(found.flatMap(([name]) => (lines.last.has(name) ? [name] : [])))
  const lastHere = new Map<string, TrailRecord>()
  if (names.size > 0) for await (const record of lastRecords(site, lines, names)) lastHere.set(record.name, record)
  for await (const page of inPages(found, PAGE)) {
    const known = await options.catalogue.rebuilding.known({ names: page.map(([name]) => name) })
    const files = new Map(known.map(file => [file.name, file]))
    const records: TrailRecord[] = []
    for (const [name, kind] of page) {
      options.signal?.throwIfAborted()
      const record = await readUnknown(site, name, kind, options, report)
      if (record) records.push(asSent(record, lastHere.get(name), files.get(name)))
    }
    const copies = records.map(record => fileOfReading(site, record))
    const isNew = await register(site, copies, options, report)
    const added = records.filter((_, index) => isNew[index])
    for (const { is_attested } of added) report[is_attested ? 'attested' : 'unattested'] += 1
    await appendLines(site, added, options)
  }
}

async function readUnknown(
  site: SiteStore,
  name: string,
  kind: FileKind,
  { clock, signal }: RebuildOptions,
  report: RebuildReport,
): Promise<TrailRecord | undefined> {
  // Open, it would be taken for a directory that only leads to files.
  if (kind === 'tree') {
    const failure = await site.store.seal(name).then(
      () => undefined,
      error => error,
    )
    if (failure) report.problems.push(`${site.name}: ${name} could not be made a committed tree: ${failure.message}`)
  }
  const reading = await site.store.examine(name, { kind, checksum: 'xxh3:::', ...(signal ? { signal } : {}) })
  if (reading.outcome !== 'read') {
    report.problems.push(`${site.name}: ${name} is ${reading.outcome}: ${reading.reason}`)
    return undefined
  }
  const { size, checksum, sha256, manifest } = reading
  const time = instantOf(new Date(clock.wallNow()))
  return {
    action: 'commit',
    order: 0,
    time,
    name,
    kind,
    size,
    checksum,
    sha256,
    is_attested: false,
    create_time: time,
    uploader: 'unknown',
    source: 'unknown',
    deletion_policy: 'DISALLOWED',
    ...(manifest === undefined ? {} : { manifest }),
  }
}

/** Where what was read is what this store once had, or what another has under this name, all that is known of it is proven. */
function asSent(read: TrailRecord, lastHere: TrailRecord | undefined, file: File | undefined): TrailRecord {
  const isSame = file?.sha256 === read.sha256 && file.size === read.size && file.kind === read.kind
  if (!isSame) return read
  const { checksum, create_time, uploader, source, first_uploader } = file
  return {
    ...read,
    action: lastHere ? 'restore' : 'commit',
    checksum,
    is_attested: file.is_attested === 1,
    create_time,
    uploader,
    source,
    ...(first_uploader === null ? {} : { first_uploader }),
    deletion_policy: lastHere?.deletion_policy ?? read.deletion_policy,
  }
}

/** So that the next rebuilding need not read them. */
async function appendLines(
  { store }: SiteStore,
  records: readonly TrailRecord[],
  { catalogue }: RebuildOptions,
): Promise<void> {
  if (records.length === 0) return
  const orders = await catalogue.rebuilding.takeOrders({ count: records.length })
  await store.appendTrail(records.map((record, index) => ({ ...record, order: orders[index]! })))
}

/** Which of them have their rows now that had none. */
async function register(
  site: SiteStore,
  files: readonly RebuiltFile[],
  { catalogue }: RebuildOptions,
  report: RebuildReport,
): Promise<boolean[]> {
  const outcomes = await catalogue.rebuilding.register({ files })
  return outcomes.map((outcome, index) => {
    const file = files[index]!
    const problem = problemOf(site, file, outcome)
    if (problem !== undefined) report.problems.push(problem)
    return outcome.outcome === 'file' || outcome.outcome === 'copy'
  })
}
