/** What the trail of a store says in the end: of each name the line that counts (`TrailRecord.order`). */
import type { TrailBreak, TrailRecord } from '../../stores/store.ts'
import type { SiteStore } from '../../stores/stores.ts'

export interface LastLines {
  /** By name: which line counts, as `weightOf` says it. */
  readonly last: ReadonlyMap<string, number>
  /** Names that some line calls a tree, believed or not: where a directory lies there, it is one thing. */
  readonly trees: ReadonlySet<string>
  /** The greatest number of any line, believed or not. */
  readonly order: number
  /** Where the trail is broken, in words. */
  readonly problems: readonly string[]
}

export async function findLastLines({ name: store, store: place }: SiteStore): Promise<LastLines> {
  const last = new Map<string, number>()
  const trees = new Set<string>()
  const problems: string[] = []
  let order = 0
  const meet = (record: TrailRecord) => {
    if (record.kind === 'tree') trees.add(record.name)
    order = Math.max(order, record.order)
  }
  const report = (met: TrailBreak) => void problems.push(`${store}: ${describeBreak(met)}`)
  for await (const record of place.readTrail({ report, disbelieve: meet })) {
    meet(record)
    if (saysNothing(record)) continue
    const weight = weightOf(record)
    if (weight > (last.get(record.name) ?? -1)) last.set(record.name, weight)
  }
  return { last, trees, order, problems }
}

export function describeBreak({ place, reason }: TrailBreak): string {
  return `the trail is broken at ${place}: ${reason}. What it says from there on is not believed`
}

/**
 * The lines that count, of all names or of some. A second reading, so that only numbers and not records are held; a line that
 * recovery has written again comes again.
 */
export async function* lastRecords(
  { store }: SiteStore,
  { last }: LastLines,
  names?: ReadonlySet<string>,
): AsyncIterable<TrailRecord> {
  // The first reading has told of the breaks.
  for await (const record of store.readTrail({ report: () => undefined })) {
    if (saysNothing(record) || last.get(record.name) !== weightOf(record)) continue
    if (!names || names.has(record.name)) yield record
  }
}

/** What is purged is what was in the trash: by then the name may be another copy's. A repair leaves its name as it was. */
function saysNothing({ action }: TrailRecord): boolean {
  return action === 'purge' || action === 'repair'
}

/** Whether the bytes are where they belong, as the trail has it. */
export function isKept({ action }: Pick<TrailRecord, 'action'>): boolean {
  return action === 'commit' || action === 'restore'
}

export function isKeptBy({ last }: LastLines, name: string): boolean {
  return (last.get(name) ?? 0) % 2 === 1
}

/** By the number; at equal ones a `restore` takes the `trash` back. The last bit says whether the bytes are kept. */
function weightOf(record: TrailRecord): number {
  return record.order * 4 + (record.action === 'restore' ? 2 : 0) + (isKept(record) ? 1 : 0)
}
