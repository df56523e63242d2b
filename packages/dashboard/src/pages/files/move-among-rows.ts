/** Links of rows have this class. */
export const ROW_LINK = 'row-link'

/**
 * From the search field the arrow down leads to the first row, on to the next ones, and up again back to the field. Enter in
 * the field opens the first row, Escape leads back to the field.
 */
export function moveAmongRows(event: KeyboardEvent): void {
  const scope = event.currentTarget as HTMLElement
  const field = scope.querySelector('input')
  const links = [...scope.querySelectorAll<HTMLElement>(`.${ROW_LINK}`)]
  const from = document.activeElement
  const at = links.indexOf(from as HTMLElement)
  if (from !== field && at < 0) return
  const to = target(event.key, { at, links, field })
  if (!to) return
  event.preventDefault()
  if (event.key === 'Enter') to.click()
  else to.focus()
}

interface Position {
  /** −1: in the field. */
  readonly at: number
  readonly links: readonly HTMLElement[]
  readonly field: HTMLElement | null
}

function target(key: string, { at, links, field }: Position): HTMLElement | null | undefined {
  if (key === 'ArrowDown') return links[at + 1]
  if (key === 'ArrowUp') return at > 0 ? links[at - 1] : at === 0 ? field : undefined
  if (key === 'Escape') return at >= 0 ? field : undefined
  return key === 'Enter' && at < 0 ? links[0] : undefined
}
