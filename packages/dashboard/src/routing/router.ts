/** Where somebody is in the pages: the browser’s address, without what all addresses here begin with. */
import { createStore, type Store } from '../state/store.ts'

/** All pages are below it. */
export const BASE = '/dashboard'

export interface Place {
  /** Below `BASE`, decoded nowhere: `/files/night-1/a.fits`. */
  readonly path: string
  /** With its `?`, or empty. */
  readonly search: string
}

export interface Router {
  readonly place: Store<Place>
  /** @param to path with search, below `BASE` */
  go(to: string, options?: { readonly replaces?: boolean }): void
  /** The whole address of a path, for a link. */
  hrefOf(to: string): string
}

export type RouterWindow = Pick<Window, 'addEventListener' | 'history' | 'location' | 'scrollTo'>

export function createRouter(window: RouterWindow): Router {
  const place = createStore(placeOf(window.location))
  const look = () => place.set(placeOf(window.location))
  window.addEventListener('popstate', look)
  return {
    place,
    go(to, { replaces = false } = {}) {
      const before = place.get().path
      window.history[replaces ? 'replaceState' : 'pushState'](null, '', hrefOf(to))
      look()
      if (place.get().path !== before) window.scrollTo(0, 0)
    },
    hrefOf,
  }
}

function hrefOf(to: string): string {
  return BASE + (to.startsWith('/') ? to : `/${to}`)
}

function placeOf({ pathname, search }: Location): Place {
  const path = pathname.startsWith(BASE) ? pathname.slice(BASE.length) : pathname
  return { path: path === '' ? '/' : path, search }
}
