/** What the server tells by itself, by server-sent events; without them, whoever listens is told to look every ten seconds. */
import type { Overview } from '@arriero/api'
import { createStore, type Store } from '../state/store.ts'

export const topics = ['overview', 'transfers', 'tasks', 'errors'] as const

export type Topic = (typeof topics)[number]

/** `late`: it was never, or is no longer connected, and pages are as old as their last look. */
export type LiveState = 'connecting' | 'live' | 'late'

export interface Live {
  readonly state: Store<LiveState>
  /** The last one that came by itself. */
  readonly overview: Store<Overview | undefined>
  /** @param listener asks again for what it shows */
  on(topic: Topic, listener: () => void): () => void
  /** Until the function that it gives is called. */
  start(): () => void
}

/** What of the browser’s own it needs. */
export interface EventStream {
  addEventListener(name: string, listener: (event: Event) => void): void
  close(): void
  readonly readyState: number
}

export interface LiveOptions {
  readonly open: () => EventStream
  /** Told when the server does not let us listen: the session may have ended. */
  readonly onRefused: () => void
  /** Default 10,000. */
  readonly lookEveryMs?: number
  /** Default 5,000. */
  readonly openAgainMs?: number
}

const CLOSED = 2

export function createLive({ open, onRefused, lookEveryMs = 10_000, openAgainMs = 5000 }: LiveOptions): Live {
  const state = createStore<LiveState>('connecting')
  const last = createStore<Overview | undefined>(undefined)
  const listeners = new Map<Topic, Set<() => void>>(topics.map(topic => [topic, new Set()]))
  const tell = (topic: Topic) => {
    for (const listener of [...listeners.get(topic)!]) listener()
  }
  const tellAll = () => topics.forEach(tell)

  const start = () => {
    let stream: EventStream | undefined
    let again: ReturnType<typeof setTimeout> | undefined
    const connect = () => {
      stream = open()
      stream.addEventListener('open', () => {
        // What happened while nobody listened was told to nobody.
        if (state.get() === 'late') tellAll()
        state.set('live')
      })
      stream.addEventListener('error', () => {
        state.set('late')
        last.set(undefined)
        if (stream?.readyState !== CLOSED) return
        onRefused()
        again = setTimeout(connect, openAgainMs)
      })
      for (const topic of topics) {
        stream.addEventListener(topic, event => {
          if (topic === 'overview') last.set(JSON.parse(String((event as MessageEvent).data)) as Overview)
          tell(topic)
        })
      }
    }
    connect()
    const looking = setInterval(() => state.get() === 'live' || tellAll(), lookEveryMs)
    return () => {
      clearInterval(looking)
      clearTimeout(again)
      stream?.close()
      state.set('connecting')
      last.set(undefined)
    }
  }

  return {
    state,
    overview: last,
    on(topic, listener) {
      listeners.get(topic)!.add(listener)
      return () => listeners.get(topic)!.delete(listener)
    },
    start,
  }
}
