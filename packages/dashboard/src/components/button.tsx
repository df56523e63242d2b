import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { useServices } from '../services.ts'
import { toError } from '../state/to-error.ts'

export interface ButtonProps {
  readonly children: ComponentChildren
  /** While its promise runs, the button waits; what it throws is shown as a toast. */
  readonly onPress: () => unknown
  readonly kind?: 'plain' | 'main' | 'danger'
  readonly isDisabled?: boolean
  /** Where the text alone does not say of what: `Pause nyx`. */
  readonly label?: string
}

export function Button({ children, onPress, kind = 'plain', isDisabled = false, label }: ButtonProps) {
  const { toasts } = useServices()
  const [isBusy, setBusy] = useState(false)
  const press = async () => {
    if (isBusy) return
    setBusy(true)
    try {
      await onPress()
    } catch (error) {
      toasts.fail(toError(error))
    } finally {
      setBusy(false)
    }
  }
  return (
    <button
      type="button"
      class={`button ${kind}`}
      disabled={isDisabled}
      aria-disabled={isBusy || undefined}
      aria-busy={isBusy || undefined}
      aria-label={label}
      onClick={press}
    >
      {children}
    </button>
  )
}
