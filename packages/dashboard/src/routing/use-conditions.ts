import { useServices } from '../services.ts'
import { useStore } from '../state/use-store.ts'
import { searchWith } from './search-with.ts'

type Changes = Readonly<Record<string, string | undefined>>

export interface Conditions {
  /** Empty: not asked for. */
  of(key: string): string
  /** Where a link with these changes leads. */
  to(changes: Changes): string
  /** Goes there. */
  set(changes: Changes): void
}

/** What of a list is shown stands in the address: it can be sent to a colleague, and the browser’s way back undoes it. */
export function useConditions(): Conditions {
  const { router } = useServices()
  const { path, search } = useStore(router.place)
  const params = new URLSearchParams(search)
  const to = (changes: Changes) => path + searchWith(search, changes)
  return { of: key => params.get(key) ?? '', to, set: changes => router.go(to(changes)) }
}
