/**
 * Reads files from FTP servers, in the clear and under TLS (RFC 959, 2228, 2389, 2428, 3659, 4217; retrieval 14).
 *
 * Size and time of change stand for the version. That is weak: a file rewritten within a second, to the same size, is not
 * noticed. Each part lands completely only if both were still the same after it was read.
 *
 * `ftp://host/a` is relative to the login directory, `ftp://host/%2Fa` and `ftp://host//a` begin at the root.
 */
import { createHash } from 'node:crypto'
import { TransferError } from '../errors.ts'
import { Addresses } from '../http/addresses.ts'
import type { HttpCredentials } from '../http/credentials.ts'
import { defaultTimeouts } from '../http/lane-options.ts'
import { redactUrl } from '../redact.ts'
import type { Resource } from '../resource.ts'
import type { FetchRequest, Listed, ListRequest, Source } from '../source.ts'
import { checkedBytes, type FtpAddress, parseFtpAddress } from './ftp/address.ts'
import { listDirectory } from './ftp/list-directory.ts'
import type { Login } from './ftp/login.ts'
import { CONNECTIONS, FtpPool, type UseOptions } from './ftp/pool.ts'
import { textOf } from './ftp/reply.ts'
import { describeFile, retrieve, type Target } from './ftp/retrieve.ts'
import type { Session } from './ftp/session.ts'
import { checkRange } from './local-answer.ts'
import type { SourceContext } from './registry.ts'

/** A part takes about eight round trips, and what was on its way beyond its end is lost. */
const PART = 24 * 1024 * 1024

export function createFtpSource(uri: string, context: SourceContext): Source {
  const address = parseFtpAddress(uri, context.options.ftp)
  return new FtpSource(uri, address, poolFor(address, context))
}

class FtpSource implements Source {
  readonly uri: string
  readonly origin: string
  readonly capabilities = { parallel: true, list: true, connections: CONNECTIONS, partBytes: PART } as const
  readonly #given: string
  readonly #path: string
  readonly #pool: FtpPool

  constructor(uri: string, address: FtpAddress, pool: FtpPool) {
    this.#given = uri
    this.uri = redactUrl(uri)
    this.origin = address.origin
    this.#path = address.path
    this.#pool = pool
  }

  async probe({ signal }: { signal: AbortSignal }): Promise<Resource> {
    signal.throwIfAborted()
    this.#requireFile()
    return this.#use({ uri: this.uri, signal }, target => describeFile(target, signal))
  }

  async fetch(request: FetchRequest): Promise<void> {
    const { signal, range, fresh } = request
    signal.throwIfAborted()
    checkRange(range, this.uri)
    this.#requireFile()
    await this.#use({ uri: this.uri, signal, isFresh: fresh }, target => retrieve(target, request))
  }

  list(request: ListRequest): AsyncIterable<readonly Listed[]> {
    return listDirectory({ pool: this.#pool, uri: this.#given, shown: this.uri, path: this.#path }, request)
  }

  /** Connections are the engine's: the next source of this server uses them. */
  async close(): Promise<void> {}

  #use<T>(options: UseOptions, run: (target: Target) => Promise<T>): Promise<T> {
    const name = textOf(this.#path.slice(this.#path.lastIndexOf('/') + 1))
    return this.#pool.use(options, (session: Session) =>
      run({ pool: this.#pool, session, path: this.#path, uri: this.uri, name }),
    )
  }

  #requireFile(): void {
    if (this.#path !== '' && !this.#path.endsWith('/')) return
    throw new TransferError('Unsupported', `Cannot fetch ${this.uri}: it names a directory`, { url: this.uri })
  }
}

/** One pool per server, user and way of speaking to it, for as long as the engine lives. */
function poolFor(address: FtpAddress, { options, timeouts, tls, addresses, shared }: SourceContext): FtpPool {
  const { origin, security, user, password } = address
  const { ftp = {}, credentials } = options
  const isDataClear = ftp.isDataClear === true
  const identity = createHash('sha256')
    .update(JSON.stringify([security, user, password, ftp.user, ftp.password, isDataClear]))
    .digest('hex')
  const key = `ftp ${origin} ${identity} ${credentials ? providerId(credentials) : ''} ${addresses ? 'restricted' : ''}`
  return shared(
    key,
    () =>
      new FtpPool({
        address,
        isDataClear,
        login: () => loginFor(address, options),
        tls: tls ?? {},
        addresses: addresses && new Addresses(addresses),
        timeouts: { ...defaultTimeouts, ...defined(timeouts ?? {}) },
      }),
  )
}

/** The URL's user-info, else the options, else what the caller's provider says, else anonymous. */
async function loginFor(address: FtpAddress, { ftp = {}, credentials }: SourceContext['options']): Promise<Login> {
  const refuse = (why: string) => new TransferError('Usage', `Cannot log in to ${address.origin}: ${why}`)
  if (address.user !== undefined) {
    const isSame = ftp.user === undefined || Buffer.from(ftp.user).toString('latin1') === address.user
    const password =
      address.password ?? (isSame && ftp.password !== undefined ? checkedBytes(ftp.password, refuse) : '')
    return { user: address.user, password }
  }
  if (ftp.user !== undefined) {
    return { user: checkedBytes(ftp.user, refuse), password: checkedBytes(ftp.password ?? '', refuse) }
  }
  const provided = credentials && (await basicLogin(address, credentials))
  if (provided) return { user: checkedBytes(provided.user, refuse), password: checkedBytes(provided.password, refuse) }
  return { user: 'anonymous', password: 'anonymous@' }
}

/** What would be said to an HTTP server, as far as it is a name and a password. */
async function basicLogin({ origin }: FtpAddress, credentials: HttpCredentials): Promise<Login | undefined> {
  const { authorization } = await credentials.headers({ method: 'GET', url: new URL(`${origin}/`), target: '/' })
  const token = /^basic\s+(\S+)$/i.exec(String(authorization ?? ''))?.[1]
  const [, user, password] = /^([^:]*):(.*)$/s.exec(Buffer.from(token ?? '', 'base64').toString('utf8')) ?? []
  return user ? { user, password: password ?? '' } : undefined
}

const providerIds = new WeakMap<HttpCredentials, number>()
let providers = 0

/** Connections are not shared between providers. */
function providerId(credentials: HttpCredentials): number {
  const known = providerIds.get(credentials) ?? ++providers
  providerIds.set(credentials, known)
  return known
}

function defined<T extends object>(options: T): { [K in keyof T]: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never
}
