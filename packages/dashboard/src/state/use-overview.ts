import { useServices } from '../services.ts'
import { useAnswer } from './use-answer.ts'
import { useStore } from './use-store.ts'

/** The overview. What came by itself is newer than what was asked for. */
export function useOverview() {
  const { api, live } = useServices()
  const told = useStore(live.overview)
  const isTold = told !== undefined
  const asked = useAnswer(async signal => (isTold ? undefined : api.dashboard.overview({}, { signal })), [isTold], {
    topics: isTold ? [] : ['overview'],
  })
  return { ...asked, data: told ?? asked.data }
}
