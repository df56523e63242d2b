/** Who is logged in here. The cookie is out of reach of scripts; what is kept here is gone with the page. */
import { fromFailure, SESSION_HEADER, type SessionAnswer, sessionPaths } from '@arriero/api'
import { createStore, type Store } from '../state/store.ts'
import { parseTime } from '../text/time.ts'

export type SessionState =
  | { readonly kind: 'unknown' }
  | {
      readonly kind: 'out'
      /** Somebody was logged in on this very page, and is no longer. */
      readonly hasEnded: boolean
      /** Why nobody can be asked. */
      readonly problem?: string
    }
  | ({ readonly kind: 'in' } & SessionAnswer)

export interface Session {
  readonly state: Store<SessionState>
  /** Asks the server whether there is one. */
  look(): Promise<void>
  /** @throws LibrarianError: name or password is wrong, or were too often */
  begin(username: string, password: string): Promise<void>
  end(): Promise<void>
  csrf(): string | undefined
}

export interface SessionOptions {
  readonly fetch: typeof globalThis.fetch
  readonly now?: () => number
}

/** Timers cannot wait longer. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

export function createSession({ fetch, now = Date.now }: SessionOptions): Session {
  const state = createStore<SessionState>({ kind: 'unknown' })
  let expiry: ReturnType<typeof setTimeout> | undefined
  let looking: Promise<void> | undefined

  const csrf = () => {
    const present = state.get()
    return present.kind === 'in' ? present.csrf : undefined
  }
  const post = (path: string, body: object = {}) => {
    const token = csrf()
    return fetch(`/api/v2/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token === undefined ? {} : { [SESSION_HEADER]: token }) },
      body: JSON.stringify(body),
      credentials: 'same-origin',
    })
  }
  const enter = (answer: SessionAnswer) => {
    clearTimeout(expiry)
    expiry = setTimeout(look, Math.min(LONGEST_TIMER_MS, Math.max(1000, parseTime(answer.expires_time) - now())))
    state.set({ kind: 'in', ...answer })
  }
  const leave = (hasEnded: boolean, problem?: string) => {
    clearTimeout(expiry)
    state.set({ kind: 'out', hasEnded, ...(problem === undefined ? {} : { problem }) })
  }
  const ask = async () => {
    const isIn = state.get().kind === 'in'
    try {
      const response = await post(sessionPaths.get)
      if (response.ok) return enter((await response.json()) as SessionAnswer)
      if (response.status === 401) return leave(isIn)
      throw fromFailure(response.status, await response.text())
    } catch (error) {
      // A server that is away for a moment has not ended anything.
      if (!isIn) leave(false, `The librarian cannot be asked: ${(error as Error).message}`)
    }
  }
  const look = () => {
    looking ??= ask().finally(() => {
      looking = undefined
    })
    return looking
  }

  return {
    state,
    look,
    csrf,
    async begin(username, password) {
      const response = await post(sessionPaths.begin, { username, password })
      if (!response.ok) throw fromFailure(response.status, await response.text())
      enter((await response.json()) as SessionAnswer)
    },
    async end() {
      const response = await post(sessionPaths.end)
      if (!response.ok && response.status !== 401) throw fromFailure(response.status, await response.text())
      leave(false)
    },
  }
}
