import type { Overview } from '@arriero/api'
import { Facts, Section } from '../../components/page.tsx'
import { StateOf } from '../../components/state.tsx'
import { Count, Duration, None, Time } from '../../components/texts.tsx'
import { stateShares } from './state-shares.ts'

/** How old proofs are, and what they found. */
export function Proofs({ proof }: Pick<Overview, 'proof'>) {
  const shares = stateShares(proof.by_state)
  return (
    <Section title="Proofs" note="copies at this site">
      <Facts
        of={[
          ['Oldest proof', <Time key="oldest" at={proof.oldest_time} />],
          [
            'Every copy is read within',
            proof.period_seconds === null ? (
              <None key="period" why="no scrub is set up" />
            ) : (
              <Duration key="period" seconds={proof.period_seconds} />
            ),
          ],
        ]}
      />
      <ul class="shares">
        {shares.map(({ state, count, share }) => (
          <li key={state}>
            <StateOf state={state} />
            <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true" class={`share-${state}`}>
              <rect class="meter-all" width="100" height="8" />
              <rect class="meter-part" width={share * 100} height="8" />
            </svg>
            <Count of={count} />
          </li>
        ))}
      </ul>
    </Section>
  )
}
