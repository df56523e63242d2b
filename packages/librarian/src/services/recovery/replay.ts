/**
 * Brings a catalogue that was restored from a backup up to what the stores' trails know (reliability 8.17): the line about each
 * name that counts says whether its bytes were kept or put away since.
 *
 *   kept       a row that is missing is made, with the digest of the line; what lies there is looked at, not read
 *   put away   a row that is still there goes, but only where its bytes are gone too
 *   broken     is told; what a trail says behind a break changes nothing
 *
 * Recovery comes before it: a commit that the backup knows half is finished by its intent. Users, peers, transfers and jobs of
 * after the backup are in no trail, and stay away.
 */
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { TrailRecord } from '../../stores/store.ts'
import type { SiteStore, Stores } from '../../stores/stores.ts'
import { findQuarantined } from './find-quarantined.ts'
import { inPages } from './in-pages.ts'
import { findLastLines, isKept, lastRecords } from './last-lines.ts'
import { fileOfRecord, problemOf } from './rebuilt-file.ts'

export interface ReplayOptions {
  readonly catalogue: Pick<Catalogue, 'rebuilding' | 'instances' | 'uploads'>
  readonly stores: Pick<Stores, 'all'>
  readonly signal?: AbortSignal | undefined
}

export interface ReplayReport {
  /** Copies that the backup did not know. */
  added: number
  /** Copies that were put away after the backup. */
  removed: number
  /** What could not be taken over, or not as available, and why; and where a trail is broken. */
  readonly problems: string[]
}

const PAGE = 200

export async function replay({ catalogue, stores, signal }: ReplayOptions): Promise<ReplayReport> {
  const report: ReplayReport = { added: 0, removed: 0, problems: [] }
  for (const site of stores.all) {
    const lines = await findLastLines(site)
    report.problems.push(...lines.problems)
    // The backup has not handed out what was handed out since.
    await catalogue.rebuilding.raiseOrder({ over: lines.order })
    for await (const page of inPages(lastRecords(site, lines), PAGE)) {
      signal?.throwIfAborted()
      await takeOver(site, page, catalogue, report)
    }
  }
  for (const site of stores.all) report.problems.push(...(await findQuarantined(site, catalogue)))
  return report
}

async function takeOver(
  site: SiteStore,
  page: readonly TrailRecord[],
  catalogue: ReplayOptions['catalogue'],
  report: ReplayReport,
): Promise<void> {
  const names = page.map(({ name }) => name)
  const known = new Set(await catalogue.instances.knownOnStore({ storeId: site.id, names }))
  await add(
    site,
    page.filter(({ name }) => !known.has(name)),
    catalogue,
    report,
  )
  const gone = page.filter(record => !isKept(record) && known.has(record.name)).map(({ name }) => name)
  const without = await Promise.all(gone.map(async name => ((await site.store.stat(name)) ? [] : [name])))
  report.removed += await catalogue.rebuilding.forgetCopies({ storeId: site.id, names: without.flat() })
}

/** What is kept, as a copy; what was put away, as a name that no other content may have. */
async function add(
  site: SiteStore,
  records: readonly TrailRecord[],
  catalogue: ReplayOptions['catalogue'],
  report: ReplayReport,
): Promise<void> {
  const files = await Promise.all(records.map(record => fileOfRecord(site, record)))
  await site.store.completeList(records.filter(isKept))
  const outcomes = await catalogue.rebuilding.register({ files })
  for (const [index, outcome] of outcomes.entries()) {
    const file = files[index]!
    const problem = problemOf(site, file, outcome)
    if (problem !== undefined) report.problems.push(problem)
    if (file.copy && (outcome.outcome === 'file' || outcome.outcome === 'copy')) report.added += 1
  }
}
