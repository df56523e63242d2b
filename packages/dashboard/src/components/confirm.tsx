import type { ComponentChildren } from 'preact'
import { Dialog } from './dialog.tsx'
import { Form } from './form.tsx'

export interface ConfirmProps {
  readonly title: string
  /** On the button. */
  readonly what: string
  /** What will happen. */
  readonly children: ComponentChildren
  readonly onConfirm: () => Promise<void>
  readonly onClose: () => void
}

/** Before something that can be undone, and that others would notice. */
export function Confirm({ title, what, children, onConfirm, onClose }: ConfirmProps) {
  const submit = async () => {
    await onConfirm()
    onClose()
  }
  return (
    <Dialog title={title} onClose={onClose}>
      {children}
      <Form what={what} onSubmit={submit} onCancel={onClose} />
    </Dialog>
  )
}
