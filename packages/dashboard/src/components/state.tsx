import { type Tone, ToneMark } from './tone.tsx'

export interface StateProps {
  readonly tone: Tone
  /** The word that is read. */
  readonly label: string
}

/** One word for how something stands, with its mark. */
export function State({ tone, label }: StateProps) {
  return (
    <span class={`state tone-${tone}`}>
      <ToneMark tone={tone} />
      {label}
    </span>
  )
}

/** Words of the wire in ours. */
const known: Readonly<Record<string, StateProps>> = {
  ok: { tone: 'good', label: 'proven' },
  mismatch: { tone: 'bad', label: 'wrong bytes' },
  missing: { tone: 'bad', label: 'missing' },
  unreadable: { tone: 'bad', label: 'unreadable' },
  unavailable: { tone: 'warn', label: 'store away' },
  'never-checked': { tone: 'warn', label: 'never read' },
  INITIATED: { tone: 'idle', label: 'waiting' },
  ONGOING: { tone: 'busy', label: 'moving' },
  STAGED: { tone: 'busy', label: 'arrived' },
  COMPLETED: { tone: 'good', label: 'done' },
  FAILED: { tone: 'bad', label: 'failed' },
  CANCELLED: { tone: 'idle', label: 'given up' },
  waiting: { tone: 'idle', label: 'waiting' },
  running: { tone: 'busy', label: 'running' },
  interrupted: { tone: 'warn', label: 'interrupted' },
  off: { tone: 'idle', label: 'off' },
  done: { tone: 'good', label: 'done' },
  partial: { tone: 'busy', label: 'goes on' },
  failed: { tone: 'bad', label: 'failed' },
}

/** Of copies, transfers and tasks, by the wire’s word; one that is not known is shown as it is. */
export function StateOf({ state }: { readonly state: string }) {
  return <State {...stateOf(state)} />
}

export function stateOf(state: string): StateProps {
  return Object.hasOwn(known, state) ? known[state]! : { tone: 'idle', label: state }
}

/** Whether another librarian answers. */
export function Reachable({ is }: { readonly is: boolean | null }) {
  if (is === null) return <State tone="idle" label="not asked yet" />
  return is ? <State tone="good" label="answers" /> : <State tone="bad" label="does not answer" />
}
