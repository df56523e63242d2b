import { LibrarianError } from '@arriero/api'
import { z } from 'zod'

/**
 * How a librarian is reached, by the keys of the settings that the older client shares with us (librarian 13.3). Of
 * `password` and `password_file` exactly one is there; the second is ours.
 */
export const connectionSchema = z
  .object({
    user: z.string().min(1),
    port: z.int().min(1).max(65_535),
    host: z.string().min(1),
    password: z.string().optional(),
    password_file: z.string().min(1).optional(),
  })
  .refine(each => (each.password === undefined) !== (each.password_file === undefined), {
    message: 'needs a password or a password_file, and not both',
  })

/** A login as the settings have it. */
export type StoredConnection = z.output<typeof connectionSchema>

/** A librarian and an account there, ready for use. */
export interface Connection {
  /** What the user calls it. */
  readonly name: string
  /** Scheme, host, port and path prefix; no slash at the end. */
  readonly url: string
  readonly user: string
  readonly password: string
}

/** The address that `host` and `port` mean (librarian 4.1): the port goes between the name and the path prefix. */
export function urlOf({ host, port }: Pick<StoredConnection, 'host' | 'port'>): string {
  const text = host.trim()
  if (!URL.canParse(text) || !/^https?:\/\//i.test(text)) refuse(host, 'it must begin with http:// or https://')
  const url = new URL(text)
  // `new URL` forgets a port that is the scheme's own.
  if (/^https?:\/\/[^/]*:\d+(\/|$)/i.test(text.replace(/\[[^\]]*\]/, 'v6')))
    refuse(host, 'the port is a key of its own')
  if (url.username || url.password) refuse('***', 'user and password are keys of their own')
  if (url.search || url.hash) refuse(host.replace(/[?#].*/s, ''), 'it must end with the path')
  return `${url.protocol}//${url.hostname}:${port}${url.pathname.replace(/\/+$/, '')}`
}

function refuse(host: string, rule: string): never {
  throw new LibrarianError('Configuration', `Cannot use the host ${host} of a connection: ${rule}.`, {
    remedy: 'Correct it in the client settings, or say `arriero login` again.',
  })
}

/** The keys `host` and `port` for an address as people write it; the inverse of `urlOf`. */
export function hostAndPort(address: string): Pick<StoredConnection, 'host' | 'port'> {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(address) ? address : `http://${address}`
  if (!URL.canParse(text)) refuse(address, 'it must be an address such as https://librarian.example.org')
  const url = new URL(text)
  if (url.username || url.password) refuse('***', 'give the user by --user, and no password in the address')
  const host = `${url.protocol}//${url.hostname}${url.pathname.replace(/\/+$/, '')}`
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port)
  urlOf({ host: `${host}${url.search}${url.hash}`, port })
  return { host, port }
}
