import { type Connection as Api, connect } from '@arriero/api'
import { createNodeFetch, type NodeFetch } from './http/node-fetch.ts'
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
  /** Ends kept connections. May be called twice. */
  close(): void
}

export interface OpenLibrarianOptions {
  /** Longest wait for one answer; undefined: none. Default 1,800,000: a server hashes whole files before it answers. */
  readonly timeoutMs?: number | undefined
  /**
   * How often a call is repeated while the server is away. Default 4, which is some seconds: for a person who waits. Long work
   * should wait until a server that was started again is back.
   */
  readonly retries?: number | undefined
  /** Longest silence while bytes are sent. Default 60,000. */
  readonly idleMs?: number | undefined
}

/** Nothing is asked yet. */
export function openLibrarian(connection: Connection, options: OpenLibrarianOptions = {}): Librarian {
  const { url, user, password } = connection
  const timeoutMs = 'timeoutMs' in options ? options.timeoutMs : 1_800_000
  const calls = createNodeFetch({ timeoutMs })
  const fetch = createNodeFetch({ timeoutMs: options.idleMs ?? 60_000, keepAlive: true })
  return {
    connection,
    api: connect({ url, user, password, fetch: calls, retries: options.retries ?? 4 }),
    fetch,
    authorization: `Basic ${Buffer.from(`${user}:${password}`, 'utf8').toString('base64')}`,
    close() {
      calls.close()
      fetch.close()
    },
  }
}

/** The address of something at this librarian. */
export function addressAt({ connection }: Pick<Librarian, 'connection'>, path: string): URL {
  return new URL(`${connection.url}/api/v2/${path}`)
}

/** Where the bytes of a file, or of a member of a tree, are read. */
export function dataUrl(librarian: Pick<Librarian, 'connection'>, name: string): URL {
  return addressAt(librarian, `data/${name.split('/').map(encodeURIComponent).join('/')}`)
}
