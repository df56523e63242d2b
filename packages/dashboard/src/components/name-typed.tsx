import type { LibrarianError } from '@arriero/api'
import { useId, useState } from 'preact/hooks'
import { toError } from '../state/to-error.ts'
import { Problem } from './problem.tsx'

export interface NameTypedProps {
  /** What must be typed, to the letter. */
  readonly name: string
  /** On the button: `Delete this copy`. */
  readonly what: string
  /** Also asks why, for the audit log. Default true. */
  readonly asksReason?: boolean
  /** What it throws is shown; it can be tried again. */
  readonly onConfirm: (reason: string) => Promise<void>
  readonly onCancel: () => void
}

/** The last step before something that destroys: the plan stands above it, and nothing is done before the name is typed. */
export function NameTyped({ name, what, asksReason = true, onConfirm, onCancel }: NameTypedProps) {
  const [typed, setTyped] = useState('')
  const [reason, setReason] = useState('')
  const [error, setError] = useState<LibrarianError>()
  const [isBusy, setBusy] = useState(false)
  const id = useId()
  const isReady = typed === name && (!asksReason || reason.trim() !== '') && !isBusy
  const submit = async (event: Event) => {
    event.preventDefault()
    if (!isReady) return
    setBusy(true)
    setError(undefined)
    try {
      await onConfirm(reason.trim())
    } catch (thrown) {
      setError(toError(thrown))
      setBusy(false)
    }
  }
  return (
    <form class="name-typed" onSubmit={submit}>
      {asksReason && (
        <label>
          Why? It is kept in the audit log.
          <input required maxLength={1000} value={reason} onInput={event => setReason(event.currentTarget.value)} />
        </label>
      )}
      <label>
        <span>
          To confirm, type <code id={`${id}-name`}>{name}</code>
        </span>
        <input
          value={typed}
          autoComplete="off"
          spellcheck={false}
          aria-describedby={`${id}-name`}
          onInput={event => setTyped(event.currentTarget.value)}
        />
      </label>
      {error && <Problem error={error} />}
      <div class="actions">
        <button type="button" class="button" onClick={onCancel}>
          Cancel
        </button>
        <button type="submit" class="button danger" disabled={!isReady} aria-busy={isBusy || undefined}>
          {isBusy ? 'Working…' : what}
        </button>
      </div>
    </form>
  )
}
