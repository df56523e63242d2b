/**
 * Removes what commits and uploads have left in a store: private copies of works that have ended, staging areas and spools
 * of transfers that have ended. What the catalogue does not know is counted and left alone (reliability 7.7, A6).
 */
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { SiteStore } from '../../stores/stores.ts'
import { inPages } from './in-pages.ts'

export interface RoundReport {
  removed: number
  /** What a catalogue older than the store would not know: for a person to look at. */
  unknown: string[]
}

const PAGE = 500

export async function sweep(
  { store }: SiteStore,
  catalogue: Pick<Catalogue, 'intents' | 'uploads'>,
): Promise<RoundReport> {
  const report: RoundReport = { removed: 0, unknown: [] }
  for await (const ids of inPages(store.works(), PAGE)) {
    const states = await catalogue.intents.know({ ids })
    const ended = ids.filter((_, index) => states[index] === 'finished')
    await store.settle(ended)
    await catalogue.intents.forget({ ids: ended })
    report.removed += ended.length
    report.unknown.push(...ids.filter((_, index) => states[index] === 'unknown').map(id => `private copy ${id}`))
  }
  await sweepNamed(store.stagings(), id => store.removeStaging(id), 'staging', catalogue, report)
  await sweepNamed(store.spools(), id => store.removeSpool(id), 'spool', catalogue, report)
  return report
}

async function sweepNamed(
  names: AsyncIterable<string>,
  remove: (name: string) => Promise<void>,
  what: string,
  catalogue: Pick<Catalogue, 'uploads'>,
  report: RoundReport,
): Promise<void> {
  for await (const page of inPages(names, PAGE)) {
    const states = await catalogue.uploads.know({ names: page })
    for (const [index, name] of page.entries()) {
      if (states[index] === 'ended') {
        await remove(name)
        report.removed += 1
      } else if (states[index] === 'unknown') {
        report.unknown.push(`${what} ${name}`)
      }
    }
  }
}
