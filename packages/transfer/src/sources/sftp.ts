/**
 * Reads files over SFTP (retrieval 14): `sftp://user@host/absolute/path`, `sftp://host/~/below/the/login/directory`.
 *
 * Size and time of change stand for the version. That is weak: times have whole seconds, so a file that is rewritten
 * twice within one is not noticed. They are asked for before and after each range; its last bytes land only then.
 */
import { abortable } from '../abortable.ts'
import { isRetriable, TransferError } from '../errors.ts'
import { SLASH_HINT } from '../listing/slash-hint.ts'
import { walk } from '../listing/walk.ts'
import { redactUrl } from '../redact.ts'
import type { Range, Resource } from '../resource.ts'
import type { FetchRequest, Listed, ListRequest, Source } from '../source.ts'
import { boundsOf, changed, checkRange } from './local-answer.ts'
import type { SourceContext } from './registry.ts'
import { parseSftpUrl, type SftpAddress } from './sftp/address.ts'
import { again } from './sftp/again.ts'
import type { Attributes } from './sftp/attributes.ts'
import type { Patience } from './sftp/connect.ts'
import { type Place, readDirectory } from './sftp/directory.ts'
import { sftpError } from './sftp/failure.ts'
import { type Group, type Lease, SftpPool } from './sftp/pool.ts'
import { Pour } from './sftp/pour.ts'
import type { Handle, SftpSession } from './sftp/session.ts'
import { localSurroundings, resolveSettings, type SshSurroundings } from './sftp/settings.ts'

/** Connections that OpenSSH's server puts up with in its usual configuration, and beyond which nothing is gained. */
const CONNECTIONS = 8
/** Directories read at once. */
const DIRECTORIES = 8

export function createSftpSource(
  uri: string,
  context: SourceContext,
  surroundings: SshSurroundings = localSurroundings(),
): Source {
  return new SftpSource(uri, context, surroundings)
}

class SftpSource implements Source {
  readonly uri: string
  readonly origin: string
  readonly capabilities = { parallel: true, list: true, connections: CONNECTIONS } as const
  readonly #address: SftpAddress
  readonly #context: SourceContext
  readonly #surroundings: SshSurroundings
  readonly #pool: SftpPool

  constructor(uri: string, context: SourceContext, surroundings: SshSurroundings) {
    this.uri = redactUrl(uri)
    this.#address = parseSftpUrl(uri)
    this.#context = context
    this.#surroundings = surroundings
    const { host, port } = this.#address
    this.origin = `sftp://${host.includes(':') ? `[${host}]` : host}:${port ?? 22}`
    this.#pool = context.shared('sftp', () => new SftpPool())
  }

  async probe({ signal }: { signal: AbortSignal }): Promise<Resource> {
    return this.#using({ signal, isFresh: false }, async session => {
      const asked = session.stat(this.#address.path)
      const attributes = await abortable(asked, signal).catch(error => this.#fail(error, 'fetch', 'path'))
      return this.#describe(attributes)
    })
  }

  async fetch(request: FetchRequest): Promise<void> {
    const { signal, fresh = false } = request
    signal.throwIfAborted()
    checkRange(request.range, this.uri)
    await this.#using({ signal, isFresh: fresh }, async session => {
      const handle = await this.#open(session, signal)
      try {
        await this.#pour(session, handle, request)
      } finally {
        session.close(handle)
      }
    })
  }

  list(request: ListRequest): AsyncIterable<readonly Listed[]> {
    const { authority, encodedPath, path } = this.#address
    const places = new Map<string, Place>([['', { path, uri: `${authority}${encodedPath}`, relative: '' }]])
    const read = async (directory: string, signal: AbortSignal) => {
      const place = places.get(directory) as Place
      places.delete(directory)
      const found = await again(isFresh => this.#read(place, { signal, isFresh }), signal)
      return found.map(({ bytes, ...listed }): Listed => {
        if (listed.path.endsWith('/')) places.set(listed.path, { path: bytes, uri: listed.uri, relative: listed.path })
        return listed
      })
    }
    return walk(read, request, { uri: this.uri, atOnce: DIRECTORIES })
  }

  async close(): Promise<void> {}

  async #read(place: Place, options: { signal: AbortSignal; isFresh: boolean }) {
    options.signal.throwIfAborted()
    const { uri } = place
    return this.#using(options, session =>
      readDirectory(session, place, options.signal).catch(error => {
        throw sftpError(error, 'list', redactUrl(uri), 'path')
      }),
    )
  }

  async #using<T>(
    { signal, isFresh }: { signal: AbortSignal; isFresh: boolean },
    use: (session: SftpSession) => Promise<T>,
  ): Promise<T> {
    const lease = await this.#lease(signal, isFresh)
    try {
      return await use(lease.session)
    } finally {
      lease.release()
    }
  }

  async #lease(signal: AbortSignal, isFresh: boolean): Promise<Lease> {
    signal.throwIfAborted()
    const { concurrency } = this.#context.options
    const most = typeof concurrency === 'number' ? concurrency : CONNECTIONS
    try {
      const group = await abortable(this.#group(), signal)
      return await group.lease({ signal, isFresh, most })
    } catch (error) {
      if (!signal.aborted && !isRetriable(error)) this.#pool.forget(this.#settingsKey)
      return this.#fail(error, 'fetch', 'handle')
    }
  }

  #group(): Promise<Group> {
    const { options, timeouts } = this.#context
    const resolve = () =>
      resolveSettings({ ...this.#address, password: this.#password }, options.sftp ?? {}, this.#surroundings)
    const patience: Patience = {
      connectMs: timeouts?.connectMs ?? 10_000,
      firstByteMs: timeouts?.firstByteMs ?? 30_000,
      idleMs: timeouts?.idleMs ?? 30_000,
    }
    return this.#pool.group(this.#settingsKey, resolve, patience)
  }

  get #settingsKey(): string {
    return JSON.stringify([this.#address.authority, this.#password, this.#context.options.sftp])
  }

  get #password(): string | undefined {
    return this.#pool.passwordFor(this.#address.authority, this.#address.password)
  }

  async #open(session: SftpSession, signal: AbortSignal): Promise<Handle> {
    const opening = session.open(this.#address.path)
    try {
      return await abortable(opening, signal)
    } catch (error) {
      // If it is opened after all, nobody is there to close it.
      opening.then(
        handle => session.close(handle),
        () => {},
      )
      return this.#fail(error, 'fetch', 'path')
    }
  }

  /** The first reads travel with the question what the file is: their answers wait until that is known. */
  async #pour(session: SftpSession, handle: Handle, request: FetchRequest): Promise<void> {
    const { signal, expected, range } = request
    const pour = new Pour(session, handle, range?.start ?? 0)
    const onAbort = () => pour.stop(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      const asked = session.fstat(handle)
      pour.ahead(this.#aheadEnd(range, expected, session.readSize))
      const resource = this.#describe(await abortable(asked, signal))
      const { start, end } = boundsOf(request, resource, resource.size as number, this.uri)
      if (expected) this.#compare(expected, resource)
      const landing = request.answered({ resource, start, end, framing: 'length' })
      signal.throwIfAborted()
      await pour.into(landing, end, attributes => this.#compare(resource, this.#describe(attributes)))
    } catch (error) {
      pour.stop(error)
      this.#fail(error, 'fetch', 'handle')
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  /** Of a file of which nothing is known only one read: most files are small. */
  #aheadEnd(range: Range | undefined, expected: Resource | undefined, readSize: number): number {
    const start = range?.start ?? 0
    const end = Math.min(range?.end ?? Number.POSITIVE_INFINITY, expected?.size ?? start + readSize)
    return Math.max(start, end)
  }

  #compare(expected: Resource, now: Resource): void {
    const isKnown = expected.lastModified !== undefined && now.lastModified !== undefined
    const isSameTime = !isKnown || expected.lastModified === now.lastModified
    if (isSameTime && (expected.size === undefined || expected.size === now.size)) return
    throw changed(this.uri, 'its size or time of change is another now')
  }

  #describe({ kind, size, mtime }: Attributes): Resource {
    if (kind === 'directory' || (kind !== undefined && kind !== 'file')) {
      const what = kind === 'directory' ? 'it is a directory' : 'it is not a regular file'
      const remedy = kind === 'directory' ? SLASH_HINT : undefined
      throw new TransferError('Unsupported', `Cannot fetch ${this.uri}: ${what}`, { url: this.uri, remedy })
    }
    if (size === undefined) {
      throw new TransferError('Protocol', `Cannot fetch ${this.uri}: the server does not tell its size`, {
        url: this.uri,
      })
    }
    const lastModified = mtime === undefined ? undefined : mtime * 1000
    // No date: the server's clock is not known, so that time is never a strong validator (retrieval 12).
    return { size, ranges: 'yes', lastModified, checksums: [], name: this.#name }
  }

  get #name(): string | undefined {
    const { path } = this.#address
    return path.subarray(path.lastIndexOf(0x2f) + 1).toString() || undefined
  }

  #fail(error: unknown, action: string, asked: 'path' | 'handle'): never {
    throw sftpError(error, action, this.uri, asked)
  }
}
