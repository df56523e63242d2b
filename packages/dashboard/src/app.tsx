import type { SessionAnswer } from '@arriero/api'
import { useEffect } from 'preact/hooks'
import { Layout } from './layout/layout.tsx'
import { Outlet } from './layout/outlet.tsx'
import { useServices } from './services.ts'
import { Login } from './session/login.tsx'
import { useStore } from './state/use-store.ts'

export function App() {
  const { session } = useServices()
  const state = useStore(session.state)
  if (state.kind === 'unknown') return <p class="loading">Loading…</p>
  return state.kind === 'in' ? <Inside session={state} /> : <Login state={state} />
}

function Inside({ session }: { readonly session: SessionAnswer }) {
  const { live } = useServices()
  useEffect(() => live.start(), [live])
  return (
    <Layout session={session}>
      <Outlet level={session.level} />
    </Layout>
  )
}
