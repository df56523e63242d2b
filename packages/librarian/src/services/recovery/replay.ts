/**
 * Brings a catalogue that was restored from a backup up to what the stores' trails know (reliability 8.17): the last line about
 * each name says whether its bytes were kept or put away since.
 *
 *   kept       a row that is missing is made, with the digest of the line; what lies there is looked at, not read
 *   put away   a row that is still there goes, but only where its bytes are gone too
 *
 * Recovery comes before it: a commit that the backup knows half is finished by its intent. Users, peers, transfers and jobs of
 * after the backup are in no trail, and stay away.
 */
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { RebuiltCopy } from '../../catalogue/operations/rebuilding.ts'
import type { TrailRecord } from '../../stores/store.ts'
import type { SiteStore, Stores } from '../../stores/stores.ts'
import { inPages } from './in-pages.ts'
import { copyOfRecord, lastLines } from './rebuild.ts'

export interface ReplayOptions {
  readonly catalogue: Pick<Catalogue, 'rebuilding' | 'instances'>
  readonly stores: Pick<Stores, 'all'>
  readonly signal?: AbortSignal | undefined
}

export interface ReplayReport {
  /** Copies that the backup did not know. */
  added: number
  /** Copies that were put away after the backup. */
  removed: number
  /** What could not be taken over, or not as available, and why. */
  readonly problems: string[]
}

const PAGE = 200

export async function replay({ catalogue, stores, signal }: ReplayOptions): Promise<ReplayReport> {
  const report: ReplayReport = { added: 0, removed: 0, problems: [] }
  for (const site of stores.all) {
    for await (const page of inPages(lastRecords(site), PAGE)) {
      signal?.throwIfAborted()
      await takeOver(site, page, catalogue, report)
    }
  }
  return report
}

/** Two readings of the trail, so that only places and not records are held. */
async function* lastRecords(site: SiteStore): AsyncIterable<TrailRecord> {
  const last = await lastLines(site)
  let line = 0
  for await (const record of site.store.readTrail()) if (last.get(record.name) === line++) yield record
}

async function takeOver(
  site: SiteStore,
  page: readonly TrailRecord[],
  catalogue: ReplayOptions['catalogue'],
  report: ReplayReport,
): Promise<void> {
  const names = page.map(({ name }) => name)
  const known = new Set(await catalogue.instances.knownOnStore({ storeId: site.id, names }))
  const isKept = ({ action }: TrailRecord) => action === 'commit' || action === 'restore'
  const missing = page.filter(record => isKept(record) && !known.has(record.name))
  await add(site, await Promise.all(missing.map(record => copyOfRecord(site, record))), catalogue, report)
  const gone = page.filter(record => !isKept(record) && known.has(record.name)).map(({ name }) => name)
  const without = await Promise.all(gone.map(async name => ((await site.store.stat(name)) ? [] : [name])))
  report.removed += await catalogue.rebuilding.forgetCopies({ storeId: site.id, names: without.flat() })
}

async function add(
  site: SiteStore,
  copies: readonly RebuiltCopy[],
  catalogue: ReplayOptions['catalogue'],
  report: ReplayReport,
): Promise<void> {
  if (copies.length === 0) return
  const outcomes = await catalogue.rebuilding.register({ copies })
  for (const [at, { name, available, state }] of copies.entries()) {
    if (outcomes[at] === 'conflict') {
      report.problems.push(`${site.name}: ${name} has other content by the trail than by the catalogue`)
      continue
    }
    report.added += 1
    if (!available) report.problems.push(`${site.name}: ${name} is in the trail, and its bytes are ${state}`)
  }
}
