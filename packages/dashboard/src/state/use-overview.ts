import type { Overview } from '@arriero/api'
import { useRef } from 'preact/hooks'
import { useServices } from '../services.ts'
import { useAnswer } from './use-answer.ts'
import { useStore } from './use-store.ts'

/** The overview. What came by itself is newer than what was asked for; what was known is shown until there is another. */
export function useOverview() {
  const { api, live } = useServices()
  const told = useStore(live.overview)
  const isTold = told !== undefined
  const asked = useAnswer(async signal => (isTold ? undefined : api.dashboard.overview({}, { signal })), [isTold], {
    topics: isTold ? [] : ['overview'],
  })
  const known = useRef<Overview>(undefined)
  known.current = told ?? asked.data ?? known.current
  return { ...asked, data: known.current }
}
