import type { AnswerOf, endpoints } from '@arriero/api'
import { Reachable, State } from '../../components/state.tsx'

export type Site = AnswerOf<typeof endpoints.dashboard.sites>['sites'][number]

/** Whether it answers, and whether we send to it. */
export function SiteState({ of }: { readonly of: Pick<Site, 'enabled' | 'reachable' | 'refused_since'> }) {
  const { enabled, reachable, refused_since } = of
  return (
    <span class="told">
      <Reachable is={reachable} />
      {refused_since != null && <State tone="bad" label="refuses our account: have its password set" />}
      {!enabled && <State tone="warn" label="paused" />}
    </span>
  )
}
