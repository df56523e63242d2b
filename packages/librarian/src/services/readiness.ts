/** Whether this librarian can do its work, for those who watch over it. */
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { Stores } from '../stores/stores.ts'

export interface ReadinessOptions {
  readonly catalogue: Pick<Catalogue, 'accounts' | 'settings'>
  readonly stores: Pick<Stores, 'all'>
}

/** Resolves to what is missing, in words that anybody may read: without names. */
export function createReadiness({ catalogue, stores }: ReadinessOptions): () => Promise<string[]> {
  // Seen once is enough: a site whose last administrator went still serves its users.
  let hadAdmin = false

  async function peopleMissing(): Promise<string[]> {
    hadAdmin ||= (await catalogue.accounts.countAdmins()) > 0
    return hadAdmin ? [] : ['there is no administrator yet']
  }

  async function storesMissing(): Promise<string[]> {
    const states = await Promise.all(stores.all.map(({ store }) => store.state()))
    if (states.length === 0 || states.some(({ available }) => available)) return []
    const isLost = states.some(state => !state.available && state.otherKeeper)
    return [isLost ? 'no store is available: another librarian has one of them' : 'no store is available']
  }

  return async () => {
    const found = await catalogue.settings.get({ key: 'uuid' }).then(
      () => peopleMissing(),
      () => ['the catalogue does not answer'],
    )
    return [...found, ...(await storesMissing())]
  }
}
