/**
 * The SSH connections of an engine: kept while they may be needed again, as many as parts are fetched at once, shared
 * beyond that. One connection is bounded by its channel's window and by one stream of a cipher, so several pay.
 */
import { abortable } from '../../abortable.ts'
import { TransferError } from '../../errors.ts'
import { CrowdedError, connectSftp, type Patience } from './connect.ts'
import type { SftpSession } from './session.ts'
import type { SshSettings } from './settings.ts'

export interface Lease {
  readonly session: SftpSession
  release(): void
}

export interface LeaseRequest {
  readonly signal: AbortSignal
  /** The last connection failed: take a new one if there may be one more. */
  readonly isFresh: boolean
  /** Most connections to this host. */
  readonly most: number
}

/** Idle connections are closed after that; a server may have few of them. */
const IDLE_MS = 30_000
/** A login that was refused is not tried again before: servers lock out who fails too often. */
const REFUSED_MS = 60_000
/** Handshakes at once: OpenSSH's server begins to drop them at ten (MaxStartups). */
const MOST_OPENING = 4

export class SftpPool implements AsyncDisposable {
  readonly #groups = new Map<string, Group>()
  readonly #resolved = new Map<string, Promise<SshSettings>>()
  readonly #passwords = new Map<string, string>()

  /**
   * What was resolved before is used again: configuration and known hosts are not read for each of ten thousand files.
   *
   * @param key what the settings depend on
   */
  async group(key: string, resolve: () => Promise<SshSettings>, patience: Patience): Promise<Group> {
    let settings = this.#resolved.get(key)
    if (!settings) {
      settings = resolve()
      this.#resolved.set(key, settings)
      settings.catch(() => this.forget(key))
    }
    return this.#groupOf(await settings, patience)
  }

  /** Something in the settings did not do: they are read again next time. */
  forget(key: string): void {
    this.#resolved.delete(key)
  }

  /** Connections that are made in the same way are shared. */
  #groupOf(settings: SshSettings, patience: Patience): Group {
    const key = JSON.stringify(settings)
    const group = this.#groups.get(key) ?? new Group(settings, patience)
    this.#groups.set(key, group)
    return group
  }

  /** A password that stood in a URL also opens what that URL's listing names: listings carry no passwords. */
  passwordFor(authority: string, given: string | undefined): string | undefined {
    if (given !== undefined) this.#passwords.set(authority, given)
    return given ?? this.#passwords.get(authority)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#groups.values()].map(group => group.close()))
  }
}

interface Member {
  readonly session: SftpSession
  users: number
  idle: NodeJS.Timeout | undefined
}

export class Group {
  readonly #settings: SshSettings
  readonly #patience: Patience
  readonly #members = new Set<Member>()
  readonly #opening = new Set<Promise<unknown>>()
  readonly #closing = new AbortController()
  /** What the server was found to put up with. */
  #ceiling = Number.POSITIVE_INFINITY
  #refused: { readonly error: TransferError; readonly at: number } | undefined

  constructor(settings: SshSettings, patience: Patience) {
    this.#settings = settings
    this.#patience = patience
  }

  async lease({ signal, isFresh, most }: LeaseRequest): Promise<Lease> {
    let mayOpen = true
    for (;;) {
      signal.throwIfAborted()
      this.#throwRefusal()
      this.#forgetDead()
      const idle = [...this.#members].find(({ users }) => users === 0)
      if (idle && !(isFresh && mayOpen)) return this.#lend(idle)
      const opening = this.#opening.size
      const room = Math.min(most, this.#ceiling) - this.#members.size - opening
      // Until one login has worked, no other is tried.
      const isSettled = this.#members.size > 0 || opening === 0
      if (mayOpen && room > 0 && isSettled && opening < MOST_OPENING) {
        const member = await this.#open(signal)
        if (member) return this.#lend(member)
        mayOpen = false
        continue
      }
      const least = [...this.#members].sort((a, b) => a.users - b.users)[0]
      if (least && (room <= 0 || !mayOpen)) return this.#lend(least)
      if (this.#opening.size > 0) await abortable(Promise.race(this.#opening), signal)
      // Nothing is open any more: the others died while we waited.
      else mayOpen = true
    }
  }

  async close(): Promise<void> {
    this.#closing.abort(new DOMException('The engine was closed', 'AbortError'))
    await Promise.allSettled(this.#opening)
    await Promise.all(
      [...this.#members].map(member => {
        clearTimeout(member.idle)
        return member.session.end()
      }),
    )
    this.#members.clear()
  }

  /** Undefined if the server has enough of us while others are open. */
  async #open(signal: AbortSignal): Promise<Member | undefined> {
    const connecting = this.#connect()
    const settled = connecting.then(
      () => {},
      () => {},
    )
    this.#opening.add(settled)
    // Before anybody who waits for it looks again.
    void settled.then(() => this.#opening.delete(settled))
    try {
      return await abortable(connecting, signal)
    } catch (error) {
      if (signal.aborted && error === signal.reason) throw error
      return this.#failedToOpen(error)
    }
  }

  /** Others may wait for it, too: whoever asked first must not take it away from them by aborting. */
  async #connect(): Promise<Member> {
    try {
      const session = await connectSftp(this.#settings, this.#patience, this.#closing.signal)
      const member: Member = { session, users: 0, idle: undefined }
      this.#members.add(member)
      this.#rest(member)
      return member
    } catch (error) {
      const isFinal = error instanceof TransferError && !error.retriable
      if (isFinal) this.#refused = { error, at: performance.now() }
      throw error
    }
  }

  #failedToOpen(error: unknown): undefined {
    if (error instanceof CrowdedError) {
      this.#forgetDead()
      if (this.#members.size === 0)
        throw new TransferError('Network', error.message, { url: this.#settings.uri, cause: error })
      this.#ceiling = this.#members.size
      return undefined
    }
    throw error
  }

  #throwRefusal(): void {
    if (!this.#refused) return
    if (performance.now() - this.#refused.at < REFUSED_MS) throw this.#refused.error
    this.#refused = undefined
  }

  #forgetDead(): void {
    for (const member of this.#members) {
      if (member.session.isAlive) continue
      clearTimeout(member.idle)
      this.#members.delete(member)
    }
  }

  #lend(member: Member): Lease {
    clearTimeout(member.idle)
    member.users++
    member.session.setIdle(false)
    let isOut = true
    return {
      session: member.session,
      release: () => {
        if (!isOut) return
        isOut = false
        if (--member.users === 0) this.#rest(member)
      },
    }
  }

  #rest(member: Member): void {
    member.session.setIdle(true)
    member.idle = setTimeout(() => {
      this.#members.delete(member)
      void member.session.end()
    }, IDLE_MS)
    member.idle.unref()
  }
}
