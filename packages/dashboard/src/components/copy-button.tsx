import { useServices } from '../services.ts'
import { Button } from './button.tsx'

/** Copies a text; also on pages that came without TLS, where the browser offers only the old way. */
export function CopyButton({ text, what }: { readonly text: string; readonly what: string }) {
  const { toasts } = useServices()
  const copy = async () => {
    if (navigator.clipboard) await navigator.clipboard.writeText(text)
    else copyByField(text)
    toasts.tell(`Copied: ${what}.`)
  }
  return (
    <Button label={`Copy ${what}`} onPress={copy}>
      Copy
    </Button>
  )
}

function copyByField(text: string): void {
  const field = document.createElement('textarea')
  field.value = text
  field.className = 'unseen'
  const before = document.activeElement
  document.body.append(field)
  field.select()
  const isCopied = document.execCommand('copy')
  field.remove()
  if (before instanceof HTMLElement) before.focus()
  if (!isCopied) throw new Error('Cannot copy: the browser does not allow it')
}
