import { type ExistingFile, toNaive } from '@arriero/api'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import { isBad, type KeptCopy } from '../../catalogue/operations/serving.ts'
import type { Stores } from '../../stores/stores.ts'

export interface DescribeExistingOptions {
  readonly catalogue: Pick<Catalogue, 'serving'>
  readonly stores: Pick<Stores, 'byId'>
}

/**
 * What is kept under names, with the state of each copy as it counts now: whoever is told that a name is taken may throw
 * away bytes of their own, and must hear first whether those here are right and within reach.
 */
export async function describeExisting(
  names: readonly string[],
  { catalogue, stores }: DescribeExistingOptions,
): Promise<Map<string, ExistingFile>> {
  if (names.length === 0) return new Map()
  const files = await catalogue.serving.kept({ names })
  const present = await presentStores(new Set(files.flatMap(({ copies }) => copies.map(copy => copy.store_id))), stores)
  return new Map(
    files.map(({ name, kind, size, checksum, copies, elsewhere }) => {
      const told = copies.map(copy => ({
        store: copy.store,
        state: stateOf(copy, present),
        since: copy.since && toNaive(copy.since),
      }))
      return [name, { name, kind, size, checksum, copies: told, elsewhere: [...elsewhere] }]
    }),
  )
}

/** What is known to be bad stays so wherever its disk is. */
function stateOf(copy: KeptCopy, present: ReadonlySet<number>): string {
  if (isBad(copy.state)) return copy.state
  if (copy.available === 0 || copy.withdrawn_by !== null) return 'withdrawn'
  if (copy.enabled === 0) return 'disabled'
  return present.has(copy.store_id) ? copy.state : 'unavailable'
}

async function presentStores(ids: ReadonlySet<number>, stores: DescribeExistingOptions['stores']) {
  const states = await Promise.all([...ids].map(async id => ({ id, state: await stores.byId(id)?.store.state() })))
  return new Set(states.flatMap(({ id, state }) => (state?.available ? [id] : [])))
}
