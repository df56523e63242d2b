/** Components as text, with services that know nothing of a browser. */
import type { ComponentChild } from 'preact'
import { renderToString } from 'preact-render-to-string'
import { createToasts } from '../src/components/toasts.ts'
import { createLive } from '../src/live/live.ts'
import { type Services, ServicesContext } from '../src/services.ts'
import { createStore } from '../src/state/store.ts'

export const now = Date.UTC(2026, 10, 22, 4)

export function createServices(given: Partial<Services> = {}): Services {
  const absent = new Proxy({}, { get: (_, name) => unexpected(String(name)) })
  const place = createStore({ path: '/', search: '' })
  return {
    api: absent as Services['api'],
    uploads: absent as Services['uploads'],
    session: { state: createStore({ kind: 'unknown' }) } as unknown as Services['session'],
    theme: { choice: createStore('system'), choose: () => {} },
    router: { place, go: () => {}, hrefOf: to => `/dashboard${to}` },
    live: createLive({ open: () => unexpected('open'), onRefused: () => {} }),
    toasts: createToasts(),
    clock: createStore(now),
    ...given,
  }
}

export function draw(what: ComponentChild, services: Services = createServices()): string {
  return renderToString(<ServicesContext.Provider value={services}>{what}</ServicesContext.Provider>)
}

/** Texts alone, one space between them. */
export function textOf(html: string): string {
  return html
    .replace(/<[^>]*>/g, ' ')
    .replaceAll('&lt;', '<')
    .replaceAll('&amp;', '&')
    .replace(/\s+/g, ' ')
    .trim()
}

function unexpected(name: string): never {
  throw new Error(`Nobody should have asked for ${name}`)
}
