/** Files by a name that is being typed. */
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { DescribedFile, NameCursor } from '../../catalogue/operations/names.ts'

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
  readonly clock: { sleep(ms: number, signal?: AbortSignal): Promise<unknown> }
  readonly log: { warn(fields: object, message: string): void }
}

/** Of one transaction: others that write wait for it. */
const BATCH = 500
const PAUSE_MS = 1000
/** Between batches, so that whoever wants to write comes between them. */
const BREATH_MS = 20

export function createFindFiles({ catalogue: { names }, clock, log }: FindFilesOptions): FindFiles {
  async function catchUp(): Promise<boolean> {
    return (await names.areWaiting()) && (await names.index({ limit: BATCH })) === BATCH
  }

  return {
    async find(search) {
      // Mostly there is none, or a handful: whoever has just kept a file finds it.
      await catchUp()
      const { names: found, next } = await names.find(search)
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
