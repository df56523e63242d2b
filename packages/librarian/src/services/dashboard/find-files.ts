/** Files by a name that is being typed. */
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { DescribedFile, NameCursor } from '../../catalogue/operations/names.ts'
import type { Clock } from '../../clock.ts'
import { createPaced } from './paced.ts'

export interface FilesPage {
  readonly files: readonly DescribedFile[]
  /** Absent: there are no more. */
  readonly next: NameCursor | undefined
}

export interface FindFiles {
  find(search: { query: string; after?: NameCursor | undefined; limit: number }): Promise<FilesPage>
  /** Takes new names into the index, until the signal. */
  work(signal: AbortSignal): Promise<void>
}

export interface FindFilesOptions {
  readonly catalogue: Pick<Catalogue, 'names'>
  readonly clock: Pick<Clock, 'now' | 'sleep'>
  readonly log: { warn(fields: object, message: string): void }
}

/** Of one transaction: others that write wait for it. */
const BATCH = 500
const PAUSE_MS = 1000
/** Between batches, so that whoever wants to write comes between them. */
const BREATH_MS = 20
/** Files that came meanwhile are looked through besides: few, beside those that are in any case. */
const SCAN_END_EVERY_MS = 60_000

export function createFindFiles({ catalogue: { names }, clock, log }: FindFilesOptions): FindFiles {
  const scanEnd = createPaced(() => names.endOfScan(), {
    clock,
    everyMs: SCAN_END_EVERY_MS,
    lateMs: SCAN_END_EVERY_MS,
  })

  async function catchUp(): Promise<boolean> {
    return (await names.areWaiting()) && (await names.index({ limit: BATCH })) === BATCH
  }

  return {
    async find(search) {
      // Mostly there is none, or a handful: whoever has just kept a file finds it.
      await catchUp()
      const { names: found, next } = await names.find({ ...search, scanEnd: await scanEnd() })
      return { files: await names.describe({ names: found }), next }
    },

    async work(signal) {
      while (!signal.aborted) {
        let hasMore = false
        try {
          hasMore = await catchUp()
        } catch (error) {
          log.warn({ err: error }, 'New names could not be taken into the index; they are tried again')
        }
        await clock.sleep(hasMore ? BREATH_MS : PAUSE_MS, signal).catch(() => {})
      }
    },
  }
}
