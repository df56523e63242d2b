/**
 * Makes an empty catalogue again from the stores alone (reliability G1, librarian 15).
 *
 *   refuse    a catalogue that holds anything, and a store whose disk is not there
 *   trail     the last line about each name: committed and not trashed since = a file with its own digest
 *             its bytes are looked for, not read: such copies are `never-checked` until somebody reads them
 *   scan      what lies in the store without a line is read in full, and registered as unattested: its digest is ours
 *
 * Nothing is invented: what the trail has and the disk has not is a row without an available copy; what two stores say
 * differently is told and kept as the first said. Users, peers, transfers and errors are not in the stores, and stay away.
 */
import { instantOf, LibrarianError } from '@arriero/api'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import { ancestorsOf } from '../../catalogue/nested-names.ts'
import type { RebuiltCopy } from '../../catalogue/operations/rebuilding.ts'
import type { FileKind } from '../../catalogue/schema.ts'
import type { Clock } from '../../clock.ts'
import type { TrailRecord } from '../../stores/store.ts'
import type { SiteStore, Stores } from '../../stores/stores.ts'
import { findTrees } from './find-trees.ts'
import { inPages } from './in-pages.ts'

export interface RebuildOptions {
  readonly catalogue: Pick<Catalogue, 'rebuilding' | 'instances'>
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
  /** Files and further copies by the trails. */
  attested: number
  /** By reading what no trail knows. */
  unattested: number
  /** What could not be registered, or not as available, and why. */
  readonly problems: string[]
}

const PAGE = 200

/** @throws LibrarianError `Conflict`, `StoreUnavailable` */
export async function rebuild(options: RebuildOptions): Promise<RebuildReport> {
  const { catalogue, stores } = options
  if (!(await catalogue.rebuilding.isEmpty())) {
    throw new LibrarianError('Conflict', 'Cannot rebuild: the catalogue must be empty, it has files', {
      remedy: 'Start with a new database; or compare this one with the stores by `arriero doctor --catalogue`.',
    })
  }
  for (const { name, store } of stores.all) {
    const state = await store.state()
    if (!state.available)
      throw new LibrarianError('StoreUnavailable', `Cannot rebuild: store ${name} must be there: ${state.reason}`)
  }
  const report: RebuildReport = { attested: 0, unattested: 0, problems: [] }
  for (const site of stores.all) await fromTrail(site, options, report)
  for (const site of stores.all) await fromDisk(site, options, report)
  return report
}

async function fromTrail(site: SiteStore, { catalogue, signal }: RebuildOptions, report: RebuildReport): Promise<void> {
  const last = await lastLines(site)
  for await (const page of inPages(kept(site, last), PAGE)) {
    signal?.throwIfAborted()
    const copies = await Promise.all(page.map(record => copyOfRecord(site, record)))
    for (const { available, name, state } of copies) {
      if (!available) report.problems.push(`${site.name}: ${name} is in the trail, and its bytes are ${state}`)
    }
    await register(site, catalogue, copies, report, 'attested')
  }
}

/** Two readings of the trail, so that only places and not records are held. */
export async function lastLines({ store }: SiteStore): Promise<Map<string, number>> {
  const last = new Map<string, number>()
  let line = 0
  for await (const { name, action } of store.readTrail()) {
    // What is purged is what was in the trash: by then the name may be another copy's.
    if (action !== 'purge') last.set(name, line)
    line += 1
  }
  return last
}

async function* kept({ store }: SiteStore, last: ReadonlyMap<string, number>): AsyncIterable<TrailRecord> {
  let line = 0
  for await (const record of store.readTrail()) {
    const isLast = last.get(record.name) === line++
    if (isLast && (record.action === 'commit' || record.action === 'restore')) yield record
  }
}

export async function copyOfRecord(site: SiteStore, record: TrailRecord): Promise<RebuiltCopy> {
  const stat = await site.store.stat(record.name)
  const isRight = stat?.kind === record.kind && (record.kind === 'tree' || stat.size === record.size)
  return {
    storeId: site.id,
    path: site.store.pathOf(record.name),
    available: isRight,
    state: isRight ? 'never-checked' : stat ? 'mismatch' : 'missing',
    deletionPolicy: record.deletion_policy,
    name: record.name,
    kind: record.kind,
    size: record.size,
    checksum: record.checksum,
    sha256: record.sha256,
    isAttested: record.is_attested,
    createTime: record.create_time,
    uploader: record.uploader,
    source: record.source,
    manifest: record.manifest,
  }
}

async function fromDisk(site: SiteStore, options: RebuildOptions, report: RebuildReport): Promise<void> {
  const { catalogue, directories, signal } = options
  const { files, occupied } = await findUnknown(site, options, report)
  const trees = directories === 'leaf' ? findTrees(files, occupied) : []
  const inTrees = new Set(trees)
  const single = files.filter(name => !inTrees.has(ancestorsOf(name).at(-1) ?? ''))
  const found = [...trees.map(name => [name, 'tree'] as const), ...single.map(name => [name, 'file'] as const)]
  for (const [name, kind] of found) {
    signal?.throwIfAborted()
    const copy = await readUnknown(site, name, kind, options, report)
    if (copy) await register(site, catalogue, [copy], report, 'unattested')
  }
}

/** Files that no row knows, and the directories that cannot be trees because something known, or a directory, lies in them. */
async function findUnknown(
  { id, name: store, store: place }: SiteStore,
  { catalogue, signal }: RebuildOptions,
  report: RebuildReport,
): Promise<{ files: string[]; occupied: Set<string> }> {
  const files: string[] = []
  const occupied = new Set<string>()
  for await (const page of inPages(place.scan(signal ? { signal } : {}), PAGE)) {
    const names = page.flatMap(({ name }) => (name === undefined ? [] : [name, ...ancestorsOf(name)]))
    const known = new Set(await catalogue.instances.knownOnStore({ storeId: id, names: [...new Set(names)] }))
    for (const { name, shown, kind } of page) {
      const parent = name === undefined ? undefined : ancestorsOf(name).at(-1)
      const isKnown = name !== undefined && [name, ...ancestorsOf(name)].some(one => known.has(one))
      if (parent !== undefined && (isKnown || kind === 'directory')) occupied.add(parent)
      if (isKnown || kind === 'directory') continue
      if (name === undefined || kind === 'other')
        report.problems.push(`${store}: ${shown} is no file that a catalogue takes`)
      else files.push(name)
    }
  }
  return { files, occupied }
}

async function readUnknown(
  site: SiteStore,
  name: string,
  kind: FileKind,
  { clock }: RebuildOptions,
  report: RebuildReport,
): Promise<RebuiltCopy | undefined> {
  const reading = await site.store.examine(name, { kind, checksum: 'xxh3:::' })
  if (reading.outcome !== 'read') {
    report.problems.push(`${site.name}: ${name} is ${reading.outcome}: ${reading.reason}`)
    return undefined
  }
  const { size, checksum, sha256, manifest } = reading
  const time = instantOf(new Date(clock.wallNow()))
  const unknown = { uploader: 'unknown', source: 'unknown' }
  await site.store.appendTrail([
    {
      action: 'commit',
      time,
      name,
      kind,
      size,
      checksum,
      sha256,
      is_attested: false,
      create_time: time,
      ...unknown,
      deletion_policy: 'DISALLOWED',
      manifest,
    },
  ])
  return {
    storeId: site.id,
    path: site.store.pathOf(name),
    available: true,
    state: 'ok',
    deletionPolicy: 'DISALLOWED',
    name,
    kind,
    size,
    checksum,
    sha256,
    isAttested: false,
    createTime: time,
    ...unknown,
    manifest,
  }
}

async function register(
  site: SiteStore,
  catalogue: RebuildOptions['catalogue'],
  copies: readonly RebuiltCopy[],
  report: RebuildReport,
  as: 'attested' | 'unattested',
): Promise<void> {
  const outcomes = await catalogue.rebuilding.register({ copies })
  for (const [index, outcome] of outcomes.entries()) {
    if (outcome !== 'conflict') report[as] += 1
    else report.problems.push(`${site.name}: ${copies[index]!.name} has other content than on an earlier store`)
  }
}
