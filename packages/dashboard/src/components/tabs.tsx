import type { ComponentChildren } from 'preact'
import { Link } from '../routing/link.tsx'

export interface Tab {
  readonly key: string
  readonly to: string
  readonly isCurrent: boolean
  readonly children: ComponentChildren
}

/** Parts of a page, or of a list: links, so that each has an address. */
export function Tabs({ label, tabs }: { readonly label: string; readonly tabs: readonly Tab[] }) {
  return (
    <nav class="tabs" aria-label={label}>
      <ul>
        {tabs.map(({ key, to, isCurrent, children }) => (
          <li key={key}>
            <Link to={to} isCurrent={isCurrent}>
              {children}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  )
}
