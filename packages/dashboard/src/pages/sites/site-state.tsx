import type { AnswerOf, endpoints } from '@arriero/api'
import { Reachable, State } from '../../components/state.tsx'

export type Site = AnswerOf<typeof endpoints.dashboard.sites>['sites'][number]

/** Whether it answers, and whether we send to it. */
export function SiteState({ of: { enabled, reachable } }: { readonly of: Pick<Site, 'enabled' | 'reachable'> }) {
  return (
    <span class="told">
      <Reachable is={reachable} />
      {!enabled && <State tone="warn" label="paused" />}
    </span>
  )
}
