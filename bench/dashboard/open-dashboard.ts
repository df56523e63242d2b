/** An open dashboard without its browser: the code of its pages that asks and listens, as they call it (`main.tsx`). */
import { createClient } from '../../packages/dashboard/src/api/client.ts'
import { createLive, type Topic } from '../../packages/dashboard/src/live/live.ts'
import { type Asker, createAsker, type Load } from '../../packages/dashboard/src/state/asker.ts'
import { SessionEventSource } from './event-source.ts'
import { headersOf, type Login } from './log-in.ts'

/** Of which somebody has one open. */
export const pages = ['overview', 'transfers'] as const

export type Page = (typeof pages)[number]

export interface OpenDashboard {
  /** Whether it is live, and shows what its page is for. */
  isComplete(): boolean
  /** Why it is not, if the server refused something. */
  failure(): Error | undefined
  close(): void
}

export interface OpenDashboardOptions {
  readonly url: string
  readonly login: Login
  readonly page: Page
  /** Told of each call. */
  readonly onCall: () => void
}

export function openDashboard({ url, login, page, onCall }: OpenDashboardOptions): OpenDashboard {
  const headers = headersOf(login, url)
  const withCookie: typeof fetch = (input, init) => {
    onCall()
    return fetch(input, { ...init, headers: { ...Object.fromEntries(new Headers(init?.headers)), ...headers } })
  }
  const api = createClient({ fetch: withCookie, origin: url, csrf: () => login.csrf, onDenied: () => {} })
  const live = createLive({ open: () => new SessionEventSource(`${url}/api/v2/events`, login), onRefused: () => {} })
  const askers: Asker<unknown>[] = []
  const ask = (load: Load<unknown>, topics: readonly Topic[]) => {
    const asker = createAsker<unknown>()
    asker.ask(load)
    for (const topic of topics) live.on(topic, asker.again)
    askers.push(asker)
  }
  // As `Layout` and the pages do.
  ask(signal => api.greet({ signal }), [])
  if (page === 'overview') ask(signal => api.dashboard.overview({}, { signal }), [])
  else {
    ask(signal => api.dashboard.transfers({ direction: 'out', limit: 50 }, { signal }), ['transfers'])
    ask(signal => api.dashboard.sites({}, { signal }), ['transfers'])
  }
  const stop = live.start()
  return {
    isComplete: () => live.state.get() === 'live' && askers.every(({ state }) => state.get().data !== undefined),
    failure: () => askers.map(({ state }) => state.get().error).find(error => error !== undefined),
    close() {
      stop()
      for (const asker of askers) asker.stop()
    },
  }
}
