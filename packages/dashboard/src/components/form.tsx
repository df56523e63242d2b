import type { LibrarianError } from '@arriero/api'
import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { toError } from '../state/to-error.ts'
import { Problem } from './problem.tsx'

export interface FormProps {
  /** On the button: `Add the user`. */
  readonly what: string
  /** Fields by their names. What it throws is shown; it can be tried again. */
  readonly onSubmit: (fields: FormData) => Promise<void>
  /** Undefined: it is on the page for good. */
  readonly onCancel?: () => void
  readonly children?: ComponentChildren
}

/** Fields with a button that does it, and a word on what went wrong. */
export function Form({ what, onSubmit, onCancel, children }: FormProps) {
  const [error, setError] = useState<LibrarianError>()
  const [isBusy, setBusy] = useState(false)
  const submit = async (event: SubmitEvent) => {
    event.preventDefault()
    if (isBusy) return
    const fields = new FormData(event.currentTarget as HTMLFormElement)
    setBusy(true)
    setError(undefined)
    try {
      await onSubmit(fields)
    } catch (thrown) {
      setError(toError(thrown))
    } finally {
      setBusy(false)
    }
  }
  return (
    <form class="form" onSubmit={submit}>
      {children}
      {error && <Problem error={error} />}
      <div class="actions">
        {onCancel && (
          <button type="button" class="button" onClick={onCancel}>
            Cancel
          </button>
        )}
        <button type="submit" class="button main" aria-disabled={isBusy || undefined} aria-busy={isBusy || undefined}>
          {isBusy ? 'Working…' : what}
        </button>
      </div>
    </form>
  )
}

/** As the form’s field of that name was filled in; without one, empty. */
export function textOf(fields: FormData, name: string): string {
  const value = fields.get(name)
  return typeof value === 'string' ? value : ''
}
