/** How a store stands and how full it is, the same on every page. */
import type { Overview } from '@arriero/api'
import { Meter } from './meter.tsx'
import { State } from './state.tsx'
import { None } from './texts.tsx'

type Store = Overview['stores'][number]

/** 0 to 1; null: not known. */
export function shareOf({ free, total }: Pick<Store, 'free' | 'total'>): number | null {
  return free === null || total === null || total === 0 ? null : 1 - free / total
}

/** With the reason, where it is away; without it where `isShort`, because it stands beside. */
export function StoreState({ of, isShort = false }: { readonly of: Store; readonly isShort?: boolean }) {
  const { enabled, available, ingestable, reason } = of
  if (!enabled) return <State tone="warn" label="switched off" />
  if (!available) return <State tone="bad" label={reason === null || isShort ? 'away' : `away: ${reason}`} />
  return <State tone="good" label={ingestable ? 'in use' : 'reads only'} />
}

export function StoreFill({ of }: { readonly of: Store }) {
  const share = shareOf(of)
  if (share === null) return <None why="not known" />
  return <Meter share={share} tone={share > 0.95 ? 'bad' : share > 0.85 ? 'warn' : 'busy'} label={of.store_name} />
}
