/** How many copies are known to be bad, for those who watch: numbers, and no names (reliability C1). */
import type { Catalogue } from '../../catalogue/catalogue.ts'
import { badStates } from '../../catalogue/operations/readings.ts'
import { createSharedLook } from '../../shared-look.ts'

export interface CopiesHealth {
  /** In words that anybody may read. */
  readonly concerns: readonly string[]
}

/** Resolves to undefined where the catalogue does not answer, which is told elsewhere. */
export function createCopiesHealth({ readings }: Pick<Catalogue, 'readings'>): () => Promise<CopiesHealth | undefined> {
  return createSharedLook(async () => {
    try {
      const counts = await readings.countBad()
      const concerns = badStates.flatMap(state => (counts[state] > 0 ? [concernOf(state, counts[state])] : []))
      return { concerns }
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
