import type { SessionAnswer } from '@arriero/api'
import type { ComponentChildren } from 'preact'
import { ToastList } from '../components/toast-list.tsx'
import { Link } from '../routing/link.tsx'
import { useServices } from '../services.ts'
import { useAnswer } from '../state/use-answer.ts'
import { Account } from './account.tsx'
import { LiveMark } from './live-mark.tsx'
import { Navigation } from './navigation.tsx'

export interface LayoutProps {
  readonly session: SessionAnswer
  readonly children: ComponentChildren
}

/** What stands around every page: at the side where there is room, else at the bottom. */
export function Layout({ session, children }: LayoutProps) {
  const { api } = useServices()
  const { data: greeting } = useAnswer(signal => api.greet({ signal }), [])
  return (
    <div class="layout">
      <a class="skip" href="#page-title">
        Skip to the page
      </a>
      <header class="site">
        <Link to="/" class="site-name">
          {greeting?.name ?? 'Arriero'}
        </Link>
        <LiveMark />
      </header>
      <Navigation level={session.level} account={<Account session={session} version={greeting?.version} />} />
      <main>{children}</main>
      <ToastList />
    </div>
  )
}
