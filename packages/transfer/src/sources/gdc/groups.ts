/**
 * Small files of the GDC, many by one request: `POST /data?tarfile` (gen3 6.5). Those that are asked for at about the same
 * time travel together.
 *
 *     wait      a moment for others, until there are enough of them
 *     ask       one archive for all
 *     hand out  each file to whoever waits for it, as soon as its last byte has come
 *     rest      what did not come, for whatever reason, is to be asked for by itself: that will tell what is the matter
 *
 * A file is handed out whole or not at all, so nobody ever holds half of one when an archive is cut. No one waits for
 * another's disk or consumer: what was asked for is small enough to be kept until it is taken.
 */
import type { Gdc } from '../../commons/gdc.ts'
import { TransferError } from '../../errors.ts'
import type { Exchange } from '../../http/general-lane.ts'
import type { Origins } from '../../http/origins.ts'
import { requestHeaders } from '../../http/request-headers.ts'
import { parseRequestUrl } from '../../http/request-url.ts'
import { statusFailure } from '../../http/status-failure.ts'
import { oneHeader } from '../../integrity/headers.ts'
import { redactUrl } from '../../redact.ts'
import { ArchiveFiles, type Wanted } from './archive-files.ts'

/** Larger files are worth a request, and perhaps several. */
export const MOST_MEMBER = 1 << 20
const MOST_BYTES = 16 << 20
const MOST_FILES = 64
/** Files remembered that came, or did not come, by an archive: what was wrong with one is not asked for in the same way. */
const MOST_TRIED = 10_000
/** Archives in a row that were none. */
const MOST_FAILURES = 3

export interface GdcGroupsOptions {
  readonly gdc: Gdc
  readonly origins: () => Promise<Origins>
  /** How long the first file waits for others, ms. Default 10. */
  readonly waitMs?: number | undefined
  /** Fewer files are not worth an archive. Default 2. */
  readonly least?: number | undefined
}

/** A file that somebody waits for. */
class Member implements Wanted {
  readonly id: string
  readonly size: number
  readonly #settled = Promise.withResolvers<Uint8Array | undefined>()
  readonly #signal: AbortSignal
  readonly #onAbort: () => void
  isWaiting = true

  constructor(id: string, size: number, signal: AbortSignal, onLeft: () => void) {
    this.id = id
    this.size = size
    this.#signal = signal
    this.#onAbort = () => {
      this.fail(signal.reason)
      onLeft()
    }
    signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  get bytes(): Promise<Uint8Array | undefined> {
    return this.#settled.promise
  }

  /** Undefined: to be asked for by itself. */
  give(bytes: Uint8Array | undefined): void {
    this.#leave()
    this.#settled.resolve(bytes)
  }

  fail(error: unknown): void {
    this.#leave()
    this.#settled.reject(error)
  }

  #leave(): void {
    this.isWaiting = false
    this.#signal.removeEventListener('abort', this.#onAbort)
  }
}

/** Files that travel together. */
class Group {
  readonly members = new Map<string, Member>()
  readonly abort = new AbortController()
  bytes = 0

  get isWanted(): boolean {
    return [...this.members.values()].some(({ isWaiting }) => isWaiting)
  }
}

export class GdcGroups {
  readonly #gdc: Gdc
  readonly #origins: () => Promise<Origins>
  readonly #waitMs: number
  readonly #least: number
  readonly #tried = new Set<string>()
  #failures = 0
  #next: Group | undefined
  #timer: NodeJS.Timeout | undefined

  constructor({ gdc, origins, waitMs = 10, least = 2 }: GdcGroupsOptions) {
    this.#gdc = gdc
    this.#origins = origins
    this.#waitMs = waitMs
    this.#least = least
  }

  /**
   * The whole file of `size` bytes, or undefined: then it is to be asked for by itself. Nothing but the size is proven.
   * Rejects with the signal's reason, and with Throttled where the GDC asks for patience.
   */
  take(id: string, size: number, signal: AbortSignal): Promise<Uint8Array | undefined> {
    if (signal.aborted) return Promise.reject(signal.reason)
    const isUseless = size > MOST_MEMBER || this.#failures >= MOST_FAILURES || this.#tried.has(id)
    if (isUseless || this.#next?.members.has(id)) return Promise.resolve(undefined)
    if ((this.#next?.bytes ?? 0) + size > MOST_BYTES) this.#send()
    const group = this.#next ?? this.#begin()
    const member = new Member(id, size, signal, () => this.#left(group, id))
    group.members.set(id, member)
    group.bytes += size
    if (group.members.size >= MOST_FILES) this.#send()
    return member.bytes
  }

  #begin(): Group {
    const group = new Group()
    this.#next = group
    this.#timer = setTimeout(() => this.#send(), this.#waitMs)
    return group
  }

  /** Somebody went away: what nobody waits for is not asked for, or not read on. */
  #left(group: Group, id: string): void {
    if (this.#next !== group) {
      if (!group.isWanted) group.abort.abort(new DOMException('Nobody waits for the archive', 'AbortError'))
      return
    }
    group.bytes -= group.members.get(id)?.size ?? 0
    group.members.delete(id)
    if (group.members.size === 0) this.#stopWaiting()
  }

  #stopWaiting(): Group | undefined {
    const group = this.#next
    clearTimeout(this.#timer)
    this.#next = undefined
    return group
  }

  #send(): void {
    const group = this.#stopWaiting()
    if (!group) return
    void this.#fetch(group).then(
      () => settle(group, member => member.give(undefined)),
      error => settle(group, member => (isThrottle(error) ? member.fail(error) : member.give(undefined))),
    )
  }

  /** Whatever this rejects with, single requests will tell it better, but for Throttled. */
  async #fetch(group: Group): Promise<void> {
    const ids = [...group.members.keys()]
    if (ids.length < this.#least) return
    const exchange = await this.#ask(ids, group.abort.signal)
    try {
      await this.#receive(exchange, group)
      this.#failures = 0
      this.#noteTried(ids)
    } catch (error) {
      exchange.cancel()
      if (isNoArchive(error)) this.#failures++
      if (!isThrottle(error)) this.#noteTried(ids)
      throw error
    }
  }

  async #ask(ids: readonly string[], signal: AbortSignal): Promise<Exchange> {
    const { url } = parseRequestUrl(`${this.#gdc.base}/data?tarfile`)
    const uri = redactUrl(url.href)
    const origins = await this.#origins()
    await origins.checkAddress(url, uri)
    const headers = {
      ...requestHeaders({ ...this.#gdc.headers, 'content-type': 'application/json' }),
      'accept-encoding': 'identity',
    }
    const body = JSON.stringify({ ids })
    return origins.general.send({ method: 'POST', url, headers, body, signal, uri, identity: 'gdc' })
  }

  async #receive(exchange: Exchange, group: Group): Promise<void> {
    const { status, headers } = exchange
    if (status !== 200 || oneHeader(headers, 'content-encoding') !== undefined) {
      await exchange.drain()
      throw statusFailure(exchange, redactUrl(this.#gdc.base), Date.now())
    }
    const files = new ArchiveFiles(id => group.members.get(id))
    while (group.isWanted) {
      const bytes = await exchange.next()
      if (!bytes) return
      files.push(bytes)
    }
    // What follows is a list of what came before.
    await exchange.drain()
  }

  #noteTried(ids: readonly string[]): void {
    for (const id of ids) this.#tried.add(id)
    for (const oldest of this.#tried) {
      if (this.#tried.size <= MOST_TRIED) return
      this.#tried.delete(oldest)
    }
  }
}

function settle(group: Group, how: (member: Member) => void): void {
  for (const member of group.members.values()) if (member.isWaiting) how(member)
}

function isThrottle(error: unknown): boolean {
  return error instanceof TransferError && error.code === 'Throttled'
}

/** A server that makes no archives says so every time. 403 and 404 are about one of the files. */
function isNoArchive(error: unknown): boolean {
  if (!(error instanceof TransferError) || error.code !== 'Protocol') return false
  return error.status !== 401 && error.status !== 403
}
