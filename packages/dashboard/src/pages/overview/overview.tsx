import type { Overview } from '@arriero/api'
import { PageHead } from '../../components/page.tsx'
import { Problem } from '../../components/problem.tsx'
import { Time } from '../../components/texts.tsx'
import { useOverview } from '../../state/use-overview.ts'
import { Backlog } from './backlog.tsx'
import { Flow } from './flow.tsx'
import { Glance } from './glance.tsx'
import { Needs } from './needs.tsx'
import { Proofs } from './proofs.tsx'
import { Stores } from './stores.tsx'

/** One look: what needs a person, what flows, what is stuck, what is proven, what is full. */
export default function OverviewPage() {
  const { data, error, again } = useOverview()
  return (
    <>
      <PageHead title="Overview">
        {data && (
          <span class="soft">
            As of <Time at={data.time} />
          </span>
        )}
      </PageHead>
      {error && <Problem error={error} again={again} />}
      {data ? <Parts of={data} /> : !error && <p class="loading">Loading…</p>}
    </>
  )
}

function Parts({ of }: { readonly of: Overview }) {
  return (
    <>
      <Glance of={of} />
      <Needs needs={of.needs} />
      <Flow flow={of.flow} />
      <Backlog backlog={of.backlog} />
      <Stores stores={of.stores} />
      <Proofs proof={of.proof} />
    </>
  )
}
