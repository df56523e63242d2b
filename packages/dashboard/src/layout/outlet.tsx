import { LibrarianError } from '@arriero/api'
import { Component, type ComponentChildren, type ComponentType } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { PageHead } from '../components/page.tsx'
import { Problem } from '../components/problem.tsx'
import { findPage, mayOpen, type Page, type PageProps } from '../pages.ts'
import { useServices } from '../services.ts'
import { toError } from '../state/to-error.ts'
import { useStore } from '../state/use-store.ts'

/** The page of the present address. */
export function Outlet({ level }: { readonly level: number }) {
  const { router } = useServices()
  const place = useStore(router.place)
  const { path } = place
  const first = useRef(place)
  const found = findPage(path)
  if (!found) return <Instead title="There is no such page" remedy="Choose one from the navigation." />
  const { page, rest } = found
  if (!mayOpen(page, level)) {
    return <Instead title={page.title} remedy={`It needs the level ${page.level}; ask an administrator.`} />
  }
  return (
    <Boundary key={path}>
      <Loaded page={page} rest={rest} takesFocus={place !== first.current} />
    </Boundary>
  )
}

function Instead({ title, remedy }: { readonly title: string; readonly remedy: string }) {
  return (
    <>
      <PageHead title={title} />
      <p>{remedy}</p>
    </>
  )
}

interface LoadedProps extends PageProps {
  readonly page: Page
  /** The very first page is announced by the browser itself. */
  readonly takesFocus: boolean
}

function Loaded({ page, rest, takesFocus }: LoadedProps) {
  const [Shown, setShown] = useState<ComponentType<PageProps>>()
  const [failure, setFailure] = useState<unknown>()
  useEffect(() => {
    page.load().then(module => setShown(() => module.default), setFailure)
  }, [page])
  useFocusOnTitle(takesFocus && Shown !== undefined)
  useEffect(() => {
    document.title = `${page.title} · Arriero`
  }, [page])
  if (failure !== undefined) return <Failed error={failure} />
  return Shown ? <Shown rest={rest} /> : <p class="loading">Loading…</p>
}

/** Readers of screens hear that another page is there. */
function useFocusOnTitle(isDue: boolean): void {
  useEffect(() => {
    const isTaken = document.activeElement?.closest('main') != null
    if (isDue && !isTaken) document.getElementById('page-title')?.focus({ preventScroll: true })
  }, [isDue])
}

function Failed({ error }: { readonly error: unknown }) {
  const known = error instanceof LibrarianError ? error : toError(error)
  return <Problem error={known} again={() => location.reload()} />
}

/** A fault of one page leaves the navigation usable. */
class Boundary extends Component<{ readonly children: ComponentChildren }, { readonly error?: unknown }> {
  static override getDerivedStateFromError(error: unknown) {
    return { error }
  }

  override render() {
    return this.state.error === undefined ? this.props.children : <Failed error={this.state.error} />
  }
}
