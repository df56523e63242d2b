/**
 * Compares a store with the catalogue and says what differs (reliability A6, 8.16). It changes nothing.
 *
 * The disk is not frozen while it is read, so that a difference is told only when it was there twice: before the scan and
 * after it. A store whose disk went away meanwhile, or is another one, tells nothing about its files (B4).
 */
import type { Instant } from '@arriero/api'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import { ancestorsOf } from '../../catalogue/nested-names.ts'
import type { File, Instance } from '../../catalogue/operations/instances.ts'
import type { Scanned, Stat, TrailBreak, Unavailable } from '../../stores/store.ts'
import type { SiteStore } from '../../stores/stores.ts'
import { inPages } from './in-pages.ts'

export const differences = {
  'store-unavailable':
    'Mount the disk, or correct the settings; nothing is known about its files until then. Lost for good: see --replace-disk.',
  'broken-trail': 'Nothing is lost while there is a catalogue: keep its backups, and look at the disk.',
  'row-without-bytes':
    'Look whether the bytes lie elsewhere. Put the right ones back in their place by hand, then run `arriero validate NAME`.',
  'bytes-without-row':
    'Move it out of the store by hand; if it belongs here, bring it in from there with `arriero upload`.',
  'wrong-size':
    'Keep these bytes elsewhere, put the right ones in their place by hand, then run `arriero validate NAME`.',
  'wrong-kind':
    'A file lies where a tree is kept, or the other way round: move it away, put the right one in its place, then `arriero validate NAME`.',
  'digest-unknown': 'Run `arriero validate NAME`: reading it gives the missing SHA-256.',
  'not-ok':
    'Look at the disk. `arriero validate NAME` reads every copy again, also after the right bytes were put in place by hand.',
  withdrawn: 'Taken out of use, and its bytes are still there: delete it with its file, or put it back into use.',
  'foreign-name': 'No name that a catalogue takes, or no ordinary file: move it away by hand.',
  'nested-store': 'Somebody’s store lies in this one: end both librarians, and move one of the two elsewhere.',
  'unknown-work': 'Left by a catalogue that knew it: compare with the newest backup before it is removed.',
} as const satisfies Record<string, string>

export type Difference = keyof typeof differences

export interface Finding {
  readonly difference: Difference
  readonly store: string
  /** As it can be printed. */
  readonly what: string
  /** Since when the catalogue has its row; undefined where it has none. */
  readonly since: Instant | undefined
  /** When a reading first showed it; undefined where none has. */
  readonly found: Instant | undefined
  readonly next: string
}

type Rows = Pick<Catalogue, 'instances' | 'intents' | 'readings' | 'uploads'>

const PAGE = 500

export async function reconcile(site: SiteStore, catalogue: Rows, signal?: AbortSignal): Promise<Finding[]> {
  const { store } = site
  const before = await store.state()
  if (!before.available) return [unavailableFinding(site, before)]
  const disk = await scanDisk(site, catalogue, signal)
  const rows = await checkRows(site, catalogue, disk.trees, signal)
  const findings = [
    ...disk.nested.map(shown => finding('nested-store', site, shown)),
    ...disk.foreign.map(shown => finding('foreign-name', site, shown)),
    ...(await stillUnknown(site, catalogue, disk.unknown)),
    ...rows,
    ...(await unknownWorks(site, catalogue)),
    ...(await brokenTrail(site)),
  ]
  const after = await store.state()
  if (after.available && after.uuid === before.uuid) return findings
  return [unavailableFinding(site, after.available ? { reason: 'another disk was mounted meanwhile' } : after)]
}

function unavailableFinding(site: SiteStore, { reason, remedy }: Unavailable): Finding {
  const found = finding('store-unavailable', site, reason)
  return remedy === undefined ? found : { ...found, next: remedy }
}

interface Tally {
  files: number
  bytes: number
}

interface SeenDisk {
  readonly unknown: string[]
  readonly foreign: string[]
  /** Roots of other stores; what is in them was not looked at. */
  readonly nested: string[]
  /** What lies in each tree. */
  readonly trees: Map<string, Tally>
}

async function scanDisk({ id, store }: SiteStore, catalogue: Rows, signal?: AbortSignal): Promise<SeenDisk> {
  const seen: SeenDisk = { unknown: [], foreign: [], nested: [], trees: new Map() }
  for await (const page of inPages(store.scan(signal ? { signal } : {}), PAGE)) {
    const names = page.flatMap(({ name }) => (name === undefined ? [] : [name, ...ancestorsOf(name)]))
    const known = new Set(await catalogue.instances.knownOnStore({ storeId: id, names: [...new Set(names)] }))
    for (const entry of page) note(entry, known, seen)
  }
  return seen
}

function note({ name, shown, kind, size }: Scanned, known: ReadonlySet<string>, seen: SeenDisk): void {
  if (kind === 'store') {
    seen.nested.push(shown)
    return
  }
  if (name === undefined || kind === 'other') {
    seen.foreign.push(shown)
    return
  }
  if (kind === 'directory' || known.has(name)) return
  const tree = ancestorsOf(name).find(above => known.has(above))
  if (tree === undefined) {
    seen.unknown.push(name)
    return
  }
  const tally = seen.trees.get(tree) ?? { files: 0, bytes: 0 }
  seen.trees.set(tree, { files: tally.files + 1, bytes: tally.bytes + size })
}

/** What was committed or removed while we looked is no difference. */
async function stillUnknown(site: SiteStore, catalogue: Rows, names: readonly string[]): Promise<Finding[]> {
  const findings: Finding[] = []
  for await (const page of inPages(names, PAGE)) {
    const all = page.flatMap(name => [name, ...ancestorsOf(name)])
    const known = new Set(await catalogue.instances.knownOnStore({ storeId: site.id, names: [...new Set(all)] }))
    for (const name of page) {
      if ([name, ...ancestorsOf(name)].some(one => known.has(one))) continue
      if (await site.store.stat(name)) findings.push(finding('bytes-without-row', site, name))
    }
  }
  return findings
}

async function checkRows(
  site: SiteStore,
  catalogue: Rows,
  trees: ReadonlyMap<string, Tally>,
  signal?: AbortSignal,
): Promise<Finding[]> {
  const findings: Finding[] = []
  for (let after = 0; ; ) {
    signal?.throwIfAborted()
    const page = await catalogue.instances.onStore({ storeId: site.id, after, limit: PAGE })
    if (page.length === 0) return findings
    for (const copy of page) {
      const difference = await differenceOf(copy, site, catalogue, trees)
      if (!difference) continue
      const found = await catalogue.readings.badSince({ instanceId: copy.id })
      findings.push({ ...finding(difference, site, copy.file_name), since: copy.created_time, found })
    }
    after = page.at(-1)!.id
  }
}

async function differenceOf(
  copy: Instance & { file: File },
  { store }: SiteStore,
  catalogue: Rows,
  trees: ReadonlyMap<string, Tally>,
): Promise<Difference | undefined> {
  const { file } = copy
  const stat = await store.stat(file.name)
  if (copy.available === 0) return stat ? 'withdrawn' : undefined
  if (!stat) return (await isStillMissing(copy, store, catalogue)) ? 'row-without-bytes' : undefined
  if (stat.kind !== file.kind) return 'wrong-kind'
  if (!(await hasRightSize(file, stat, catalogue, trees))) return 'wrong-size'
  if (copy.state !== 'ok' && copy.state !== 'never-checked') return 'not-ok'
  return file.sha256 === null ? 'digest-unknown' : undefined
}

async function isStillMissing(copy: Instance, store: SiteStore['store'], catalogue: Rows): Promise<boolean> {
  const now = await catalogue.instances.get({ id: copy.id })
  return now?.available === 1 && (await store.stat(copy.file_name)) === undefined
}

async function hasRightSize(
  file: File,
  stat: Stat,
  catalogue: Rows,
  trees: ReadonlyMap<string, Tally>,
): Promise<boolean> {
  if (file.kind === 'file') return stat.size === file.size
  const { files = 0, bytes = 0 } = trees.get(file.name) ?? {}
  const manifest = await catalogue.instances.treeOf({ name: file.name })
  const wanted = manifest?.split('\n').filter(line => line.includes('"type":"file"')).length
  return bytes === file.size && (wanted === undefined || files === wanted)
}

async function unknownWorks(site: SiteStore, catalogue: Rows): Promise<Finding[]> {
  const { store } = site
  const findings: Finding[] = []
  for await (const ids of inPages(store.works(), PAGE)) {
    const states = await catalogue.intents.know({ ids })
    const unknown = ids.filter((_, index) => states[index] === 'unknown')
    findings.push(...unknown.map(id => finding('unknown-work', site, `private copy ${id}`)))
  }
  for (const [what, names] of [
    ['staging', store.stagings()],
    ['spool', store.spools()],
  ] as const) {
    for await (const page of inPages(names, PAGE)) {
      const states = await catalogue.uploads.know({ names: page })
      const unknown = page.filter((_, index) => states[index] === 'unknown')
      findings.push(...unknown.map(name => finding('unknown-work', site, `${what} ${name}`)))
    }
  }
  return findings
}

async function brokenTrail(site: SiteStore): Promise<Finding[]> {
  const findings: Finding[] = []
  const report = ({ place, reason }: TrailBreak) =>
    void findings.push(finding('broken-trail', site, `${place}: ${reason}`))
  const records = site.store.readTrail({ report })[Symbol.asyncIterator]()
  while (!(await records.next()).done);
  return findings
}

function finding(difference: Difference, { name: store }: SiteStore, what: string): Finding {
  return { difference, store, what, since: undefined, found: undefined, next: differences[difference] }
}
