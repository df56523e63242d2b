import type { Overview } from '@arriero/api'
import type { ComponentChildren } from 'preact'
import type { Tone } from '../../components/tone.tsx'
import { ToneMark } from '../../components/tone.tsx'
import { Link } from '../../routing/link.tsx'
import { formatFiles } from '../../text/bytes.ts'
import { verdictOfFlow, verdictOfNeeds, verdictOfProofs, verdictOfStores } from './verdicts.ts'

/** Four questions, each answered by a word before any number. */
export function Glance({ of }: { readonly of: Overview }) {
  const { transfers, tasks } = of
  return (
    <ul class="glance" aria-label="At a glance">
      <Tile question="Does anything need me?" {...verdictOfNeeds(of.needs)} />
      <Tile question="Is data flowing?" {...verdictOfFlow(of)}>
        {formatFiles(transfers.incoming)} coming in, {formatFiles(transfers.outgoing)} going out
      </Tile>
      <Tile question="Is everything proven?" {...verdictOfProofs(of.proof)} />
      <Tile question="Is there room?" {...verdictOfStores(of.stores)} />
      {tasks.failed > 0 && (
        <Tile question="Do the tasks run?" tone="bad" answer={`${formatFiles(tasks.failed, 'task')} failed`}>
          <Link to="/tasks">Look at the tasks</Link>
        </Tile>
      )}
    </ul>
  )
}

interface TileProps {
  readonly question: string
  readonly answer: string
  readonly tone: Tone
  readonly detail?: string
  readonly children?: ComponentChildren
}

function Tile({ question, answer, tone, detail, children }: TileProps) {
  return (
    <li class={`tile tint-${tone}`}>
      <p class="soft">{question}</p>
      <p class={`tile-answer tone-${tone}`}>
        <ToneMark tone={tone} />
        {answer}
      </p>
      {(detail ?? children) && <p class="tile-detail">{detail ?? children}</p>}
    </li>
  )
}
