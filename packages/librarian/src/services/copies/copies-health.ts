/** How many copies are known to be bad, for those who watch: numbers, and no names (reliability C1). */
import type { Instant } from '@arriero/api'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import { badStates } from '../../catalogue/operations/readings.ts'
import { createSharedLook } from '../../shared-look.ts'
import type { Stores } from '../../stores/stores.ts'

export interface CopiesHealth {
  /** In words that anybody may read. */
  readonly concerns: readonly string[]
  /** Of the copy that was read longest ago, when that was; null: none was read (reliability C3). */
  readonly oldest_reading?: Instant | null
  /** How long ago that was, s. */
  readonly oldest_reading_age?: number | null
  /** Copies that nobody has read. */
  readonly unread?: number
}

/**
 * Resolves to undefined where the catalogue does not answer, which is told elsewhere.
 *
 * @param stores whose copies' ages are told. Default: none
 */
export function createCopiesHealth(
  { readings, scrubbing }: Pick<Catalogue, 'readings' | 'scrubbing'>,
  stores?: Pick<Stores, 'all'>,
): () => Promise<CopiesHealth | undefined> {
  return createSharedLook(async () => {
    try {
      const counts = await readings.countBad()
      const concerns = badStates.flatMap(state => (counts[state] > 0 ? [concernOf(state, counts[state])] : []))
      if (!stores) return { concerns }
      const { oldest, ageSeconds, unread } = await scrubbing.ages({ storeIds: stores.all.map(({ id }) => id) })
      return { concerns, oldest_reading: oldest ?? null, oldest_reading_age: ageSeconds ?? null, unread }
    } catch {
      return undefined
    }
  })
}

const words = {
  mismatch: 'copies with other bytes than recorded',
  missing: 'copies that are missing',
  unreadable: 'copies that cannot be read',
} as const

function concernOf(state: (typeof badStates)[number], count: number): string {
  return `${words[state]}: ${count}`
}
