/** What the pages work with; made once in `main.tsx`, handed down by a context. */
import { type Connection, SESSION_HEADER } from '@arriero/api'
import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import { createClient } from './api/client.ts'
import { createToasts, type Toasts } from './components/toasts.ts'
import { createLive, type Live } from './live/live.ts'
import { createRouter, type Router } from './routing/router.ts'
import { createSession, type Session } from './session/session.ts'
import { createStore, type Store } from './state/store.ts'
import type { Theme } from './theme/theme.ts'
import { digestFile } from './uploads/digest-file.ts'
import { createRemembered } from './uploads/remembered.ts'
import { sendByXhr } from './uploads/send-by-xhr.ts'
import { createUploads, isUnderWay, type Uploads } from './uploads/uploads.ts'

export interface Services {
  readonly api: Connection
  readonly session: Session
  readonly live: Live
  readonly router: Router
  readonly toasts: Toasts
  readonly theme: Theme
  readonly uploads: Uploads
  /** Milliseconds since 1970; goes on every ten seconds, so that ages on the page do. */
  readonly clock: Store<number>
}

export interface ServicesOptions {
  readonly window: Window & typeof globalThis
  readonly theme: Theme
}

export function createServices({ window, theme }: ServicesOptions): Services {
  const fetch: typeof globalThis.fetch = (input, init) => window.fetch(input, init)
  const session = createSession({ fetch })
  const onDenied = () => void session.look()
  const clock = createStore(Date.now())
  setInterval(() => clock.set(Date.now()), 10_000)
  const uploads = createUploads({
    send: sendByXhr,
    digest: digestFile,
    remembered: createRemembered(window.localStorage),
    headers: () => ({ [SESSION_HEADER]: session.csrf() ?? '' }),
    sleep,
  })
  window.addEventListener('beforeunload', event => {
    if (uploads.items.get().some(isUnderWay)) event.preventDefault()
  })
  return {
    session,
    uploads,
    theme,
    clock,
    api: createClient({ fetch, origin: window.location.origin, csrf: session.csrf, onDenied }),
    live: createLive({ open: () => new EventSource('/api/v2/events'), onRefused: onDenied }),
    router: createRouter(window),
    toasts: createToasts(),
  }
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms)
    const stop = () => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    signal.addEventListener('abort', stop, { once: true })
  })
}

export const ServicesContext = createContext<Services | undefined>(undefined)

export function useServices(): Services {
  const services = useContext(ServicesContext)
  if (services) return services
  throw new Error('Cannot draw: there must be services in the context')
}
