import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { Dialog } from '../components/dialog.tsx'
import { findPage, mayOpen, type Page, pages } from '../pages.ts'
import { Link } from '../routing/link.tsx'
import { useServices } from '../services.ts'
import { useStore } from '../state/use-store.ts'

/** How many stand at the bottom of a narrow screen, beside the menu. */
const AT_BOTTOM = 4

export interface NavigationProps {
  /** Of who is logged in. */
  readonly level: number
  /** Below the pages. */
  readonly account: ComponentChildren
}

/** All pages at the side; on a narrow screen the first ones at the bottom, and all in a menu. */
export function Navigation({ level, account }: NavigationProps) {
  const { path } = useStore(useServices().router.place)
  const shown = pages.filter(page => page.icon !== undefined && mayOpen(page, level))
  const current = findPage(path)?.page
  const [isOpen, setOpen] = useState(false)
  // Whoever has chosen a page is done with the menu.
  useEffect(() => setOpen(false), [path])
  return (
    <>
      <nav class="side" aria-label="Pages">
        <Pages of={shown} current={current} />
        {account}
      </nav>
      <nav class="bottom" aria-label="Pages">
        <Pages of={shown.slice(0, AT_BOTTOM)} current={current} />
        <button type="button" aria-haspopup="dialog" onClick={() => setOpen(true)}>
          <Icon lines="M4 7h16M4 12h16M4 17h16" />
          Menu
        </button>
      </nav>
      {isOpen && (
        <Dialog title="Menu" onClose={() => setOpen(false)}>
          <div class="menu">
            <Pages of={shown} current={current} />
            {account}
          </div>
        </Dialog>
      )}
    </>
  )
}

function Pages({ of, current }: { readonly of: readonly Page[]; readonly current: Page | undefined }) {
  return (
    <ul>
      {of.map(page => (
        <li key={page.path}>
          <Link to={page.path} isCurrent={page === current || isParent(page, current)}>
            <Icon lines={page.icon!} />
            {page.title}
          </Link>
        </li>
      ))}
    </ul>
  )
}

function isParent(page: Page, current: Page | undefined): boolean {
  return current?.path === `${page.path}/*`
}

function Icon({ lines }: { readonly lines: string }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={lines} />
    </svg>
  )
}
