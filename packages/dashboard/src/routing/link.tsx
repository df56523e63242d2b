import type { ComponentChildren } from 'preact'
import { useServices } from '../services.ts'

export interface LinkProps {
  /** Path with search, below the base. */
  readonly to: string
  readonly class?: string
  /** It leads to where one is. */
  readonly isCurrent?: boolean
  readonly children: ComponentChildren
}

/** A link to another page: an ordinary one, so that it can be opened in a tab of its own. */
export function Link({ to, class: className, isCurrent, children }: LinkProps) {
  const { router } = useServices()
  const follow = (event: MouseEvent) => {
    const isOther = event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey
    if (isOther || event.defaultPrevented) return
    event.preventDefault()
    router.go(to)
  }
  return (
    <a href={router.hrefOf(to)} class={className} aria-current={isCurrent ? 'page' : undefined} onClick={follow}>
      {children}
    </a>
  )
}
