import { Link } from '../routing/link.tsx'
import { useConditions } from '../routing/use-conditions.ts'

export interface PagerProps {
  /** For `after`; null or undefined: there is none. */
  readonly next: string | null | undefined
  /** What lies behind. Default: `Older`. */
  readonly forward?: string
  /** Default: `Newest`. */
  readonly first?: string
}

/** To the rows behind these, and back to the first. */
export function Pager({ next, forward = 'Older', first = 'Newest' }: PagerProps) {
  const { of, to } = useConditions()
  if (of('after') === '' && next == null) return null
  return (
    <nav class="actions" aria-label="Pages of the list">
      {of('after') !== '' && (
        <Link to={to({})} class="button">
          ← {first}
        </Link>
      )}
      {next != null && (
        <Link to={to({ after: next })} class="button">
          {forward} →
        </Link>
      )}
    </nav>
  )
}
