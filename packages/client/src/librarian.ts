import { type Connection as Api, connect, type Patience, type Wait } from '@arriero/api'
import { causeOf, explained } from './http/network-error.ts'
import { createNodeFetch, type NodeFetch } from './http/node-fetch.ts'
import { tellLevels } from './http/tell-levels.ts'
import type { Connection } from './settings/connection.ts'

/** A librarian that workflows speak to, as one user. */
export interface Librarian {
  readonly connection: Connection
  /** Every endpoint, typed. */
  readonly api: Api
  /** For bytes: connections are kept, so its callers repeat what a closing server has swallowed. */
  readonly fetch: NodeFetch
  /** The value of the header; only for the origin of `connection.url`. */
  readonly authorization: string
  readonly patience?: Patience | undefined
  /** Tells whoever opened this why it waits; of many that wait at once, one. */
  readonly tellWait: (wait: Wait) => void
  /** Ends kept connections. May be called twice. */
  close(): void
}

/** Options of `openLibrarian()`. */
export interface OpenLibrarianOptions {
  /** Longest wait for one answer; undefined: none. Default 1,800,000: a server hashes whole files before it answers. */
  readonly timeoutMs?: number | undefined
  /**
   * How often a call is repeated while the server is away. Default 4, which is some seconds: for a person who waits. Long work
   * should wait until a server that was started again is back.
   */
  readonly retries?: number | undefined
  /** Of a server that cannot be reached, instead of `retries`; also while bytes are sent. */
  readonly patience?: Patience | undefined
  /** Told why something waits, as the begin of a sentence, and for how long; at most once a second. */
  readonly onWait?: ((why: string, ms: number) => void) | undefined
  /** Longest silence while bytes are sent. Default 60,000. */
  readonly idleMs?: number | undefined
}

/** Nothing is asked yet. */
export function openLibrarian(connection: Connection, options: OpenLibrarianOptions = {}): Librarian {
  const { url, user, password } = connection
  const timeoutMs = 'timeoutMs' in options ? options.timeoutMs : 1_800_000
  const calls = createNodeFetch({ timeoutMs })
  const fetch = createNodeFetch({ timeoutMs: options.idleMs ?? 60_000, keepAlive: true })
  const { patience, retries = 4 } = options
  const tellWait = teller(connection, options)
  return {
    connection,
    api: tellLevels(connect({ url, user, password, fetch: calls, retries, patience, onWait: tellWait }), connection),
    patience,
    tellWait,
    fetch,
    authorization: `Basic ${Buffer.from(`${user}:${password}`, 'utf8').toString('base64')}`,
    close() {
      calls.close()
      fetch.close()
    },
  }
}

function teller({ url }: Connection, { onWait }: OpenLibrarianOptions): (wait: Wait) => void {
  let quietUntil = 0
  return ({ error, ms }) => {
    const now = performance.now()
    if (!onWait || now < quietUntil) return
    quietUntil = now + Math.max(ms, 1000)
    onWait(reasonOf(error, url), ms)
  }
}

/** With the system's own word for it, which a person can look up. */
function reasonOf(error: Error, url: string): string {
  const told = explained(error, url) as Error
  const code = causeOf(told)
  return code === '' ? told.message.replace(/\.$/, '') : `${told.message} (${code})`
}

/** The address of something at this librarian. */
export function addressAt({ connection }: Pick<Librarian, 'connection'>, path: string): URL {
  return new URL(`${connection.url}/api/v2/${path}`)
}

/** Where the bytes of a file, or of a member of a tree, are read. */
export function dataUrl(librarian: Pick<Librarian, 'connection'>, name: string): URL {
  return addressAt(librarian, `data/${name.split('/').map(encodeURIComponent).join('/')}`)
}
