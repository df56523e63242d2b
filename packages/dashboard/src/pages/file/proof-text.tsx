import { stateOf } from '../../components/state.tsx'
import { None, Time } from '../../components/texts.tsx'
import type { FileAnswer } from './file.tsx'

const media: Readonly<Record<string, string>> = {
  medium: 'from the medium',
  cache: 'from the cache',
  commit: 'when it was kept',
  'peer-challenge': 'by a challenge',
  claim: 'only said so',
}

/** When a copy was read, from where, by whom, and what was found if it was not good. */
export function ProofText({ of }: { readonly of: FileAnswer['instances'][number]['proof'] }) {
  if (of === null) return <None why="never" />
  const { time, medium, by, outcome } = of
  return (
    <span class="proof">
      <Time at={time} />
      <span class="soft">
        {outcome !== 'ok' && `${stateOf(outcome).label}, `}
        {media[medium] ?? medium}, {by}
      </span>
    </span>
  )
}
