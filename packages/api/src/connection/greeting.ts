/**
 * Who is at the other end, asked once before the first call. It is short, so it can have a time limit, where a call that
 * makes a server read whole files cannot (librarian 11.11); and it tells whether calls may be repeated safely.
 */
import { endpoints } from '../endpoints/index.ts'
import type { NotReceived, Received } from './exchange.ts'
import { readAnswer } from './read-answer.ts'

/** Who answered, and what may be relied on. */
export interface Greeting {
  /** The display name; undefined where `ping/` was answered by a failure. */
  readonly name: string | undefined
  readonly description: string | undefined
  /** Of our own servers only. */
  readonly version: string | undefined
  readonly capabilities: ReadonlySet<string>
}

/** Of a server that gives one outcome for one Idempotency-Key (reliability E1). */
export const IDEMPOTENCY = 'idempotency'

/** Of a librarian that knows the calls of ours between librarians: `clone/pull`, `clone/bundle`, `clone/complete_many`. */
export const FLOWS = 'flows'

const stranger: Greeting = { name: undefined, description: undefined, version: undefined, capabilities: new Set() }

/** Any answer shows that somebody is there; what is no greeting is left to the call itself to find. */
export function greetingOf(received: Received): Greeting {
  try {
    const read = readAnswer(endpoints.ping.any, received)
    if (!read.isSuccess) return stranger
    const { name, description, version, capabilities = [] } = read.answer
    return { name, description, version, capabilities: new Set(capabilities) }
  } catch {
    return stranger
  }
}

export interface Greeter {
  /** Asks, or remembers. Not sent means refused: whatever was to follow was not sent either. */
  greet(signal: AbortSignal | undefined): Promise<Greeting | NotReceived>
  /** After a lost connection, the next call asks again: another server may be there. */
  forget(): void
}

export function createGreeter(ping: (signal: AbortSignal | undefined) => Promise<Received | NotReceived>): Greeter {
  let known: Greeting | undefined
  return {
    async greet(signal) {
      if (known) return known
      const received = await ping(signal)
      if (received.kind !== 'answered') return { ...received, kind: 'refused' }
      known = greetingOf(received)
      return known
    },
    forget() {
      known = undefined
    },
  }
}
