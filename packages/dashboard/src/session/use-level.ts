import { useServices } from '../services.ts'
import { useStore } from '../state/use-store.ts'

/** The number of the level of who is logged in; 0 for nobody. */
export function useLevel(): number {
  const state = useStore(useServices().session.state)
  return state.kind === 'in' ? state.level : 0
}
