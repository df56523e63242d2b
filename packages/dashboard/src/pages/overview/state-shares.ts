import type { Overview } from '@arriero/api'

type States = Overview['proof']['by_state']

export interface StateShare {
  readonly state: string
  readonly count: number
  /** 0 to 1, of all. At least 0.01 where there is any, so that one bad copy of a million is seen. */
  readonly share: number
}

/** States that there are, the good one first; it is told even when it is 0. */
export function stateShares(byState: States): StateShare[] {
  const counted = Object.entries(byState).filter(([state, count]) => state === 'ok' || count > 0)
  const all = counted.reduce((sum, [, count]) => sum + count, 0)
  return counted
    .map(([state, count]) => ({ state, count, share: count === 0 ? 0 : Math.max(0.01, count / all) }))
    .sort((a, b) => Number(b.state === 'ok') - Number(a.state === 'ok'))
}
