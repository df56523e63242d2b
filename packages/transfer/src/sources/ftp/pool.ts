/**
 * The connections of one server, for one user: each fetch has its own login, and leaves it to the next.
 *
 * A connection that was left in the middle of a transfer settles in the background: the reply that is still to come is
 * read within five seconds, or the connection is closed. Who wants one meanwhile waits for it instead of logging in once
 * more, so that there are never more logins than fetches. Idle ones are kept awake by NOOP, and closed after a while.
 */
import { abortable } from '../../abortable.ts'
import { TransferError } from '../../errors.ts'
import type { Addresses } from '../../http/addresses.ts'
import type { TimeoutsMs, TlsOptions } from '../../http/lane-options.ts'
import type { FtpAddress } from './address.ts'
import { Control } from './control.ts'
import { type Login, login } from './login.ts'
import type { PassiveHabit } from './passive.ts'
import { Session } from './session.ts'

export interface FtpPoolOptions {
  readonly address: FtpAddress
  /** Asked for each new connection. */
  readonly login: () => Promise<Login>
  readonly isDataClear: boolean
  readonly tls: TlsOptions
  /** How names are looked up, and which addresses may be connected to. Default: all. */
  readonly addresses?: Addresses | undefined
  readonly timeouts: TimeoutsMs
  /** Default 30,000. */
  readonly noopMs?: number | undefined
  /** Default 120,000. */
  readonly keepMs?: number | undefined
}

export interface UseOptions {
  /** Redacted, for messages. */
  readonly uri: string
  readonly signal: AbortSignal
  /** A new connection, because the last one failed. */
  readonly isFresh?: boolean | undefined
  /** Fetches have a permit for their connection; listings have none and wait, all but one, while there are many. */
  readonly isListing?: boolean | undefined
}

/** What the server has shown; shared by its connections. */
export interface ServerHabits extends PassiveHabit {
  /** Whether transfers can begin in the middle, as far as is known. */
  restart: 'yes' | 'no' | 'unproven'
  /** That is not only what FEAT says. */
  isRestartTried: boolean
  /** How directories are listed; undefined: not tried. */
  list: ListCommand | undefined
}

export type ListCommand = 'MLSD' | 'LIST -a' | 'LIST' | 'NLST'

/** Logins at once that such servers put up with. */
export const CONNECTIONS = 4
/** The reply to a transfer that was cut off must come within this time (retrieval 14). */
export const SETTLE_MS = 5000

export class FtpPool implements AsyncDisposable {
  readonly habits: ServerHabits = { isEpsvBroken: false, restart: 'unproven', isRestartTried: false, list: undefined }
  readonly #options: FtpPoolOptions
  readonly #idle: Session[] = []
  readonly #used = new Set<Session>()
  readonly #settling = new Map<Session, Promise<void>>()
  #connecting = 0
  #listings = 0
  #most = CONNECTIONS
  #waiters: (() => void)[] = []
  #timer: NodeJS.Timeout | undefined
  readonly #closing = new AbortController()

  constructor(options: FtpPoolOptions) {
    this.#options = options
  }

  get timeouts(): TimeoutsMs {
    return this.#options.timeouts
  }

  /** Data connections are under TLS. */
  get isDataSecure(): boolean {
    return this.#options.address.security !== 'none' && !this.#options.isDataClear
  }

  /** Logged-in connections, used and idle. */
  get size(): number {
    return this.#idle.length + this.#used.size + this.#settling.size
  }

  /**
   * Runs with a connection. One that turns out to have died while it was idle is replaced by another, silently: the
   * server has not said a word.
   */
  async use<T>(options: UseOptions, run: (session: Session) => Promise<T>): Promise<T> {
    for (let isFresh = options.isFresh; ; isFresh = true) {
      const session = await this.#acquire({ ...options, isFresh })
      try {
        return await run(session)
      } catch (error) {
        if (options.signal.aborted || !isStale(session, error)) throw error
      } finally {
        this.#release(session, options)
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new TransferError('Cancelled', 'Cannot go on: the connections were closed'))
    clearInterval(this.#timer)
    for (const session of [...this.#idle.splice(0), ...this.#used, ...this.#settling.keys()]) session.control.quit()
    this.#wake()
  }

  async #acquire(options: UseOptions): Promise<Session> {
    const { isFresh, isListing, signal, uri } = options
    const together = AbortSignal.any([signal, this.#closing.signal])
    for (;;) {
      together.throwIfAborted()
      const mayHave = !isListing || this.#listings === 0 || this.#idle.length > 0 || this.#count < this.#most
      if (this.#settling.size > 0 && this.#idle.length === 0) {
        await abortable(Promise.race(this.#settling.values()), together)
      } else if (!mayHave) await abortable(new Promise<void>(resolve => this.#waiters.push(resolve)), together)
      else break
    }
    if (isListing) this.#listings++
    const session = this.#takeIdle(isFresh)
    if (session) {
      session.control.uri = uri
      this.#used.add(session)
      return session
    }
    try {
      return await this.#connect(uri, together)
    } catch (error) {
      if (isListing) this.#listings--
      throw error
    }
  }

  get #count(): number {
    return this.size + this.#connecting
  }

  #takeIdle(isFresh: boolean | undefined): Session | undefined {
    const session = this.#idle.pop()
    if (!session) return undefined
    if (isFresh || !session.control.isUsable) {
      // Its place is taken by the new one: servers count logins.
      session.control.quit()
      return undefined
    }
    session.control.onNews = () => {}
    session.control.hold(true)
    session.control.heard = 0
    session.isReused = true
    return session
  }

  async #connect(uri: string, signal: AbortSignal): Promise<Session> {
    const { address, tls, addresses, timeouts, isDataClear } = this.#options
    const { host, port, security } = address
    addresses?.check(host, `${host}:${port}`, uri)
    this.#connecting++
    try {
      const who = await this.#options.login()
      const control = await Control.connect(
        {
          host,
          port,
          tls,
          lookup: addresses?.lookup,
          uri,
          isImplicit: security === 'implicit',
          connectMs: timeouts.connectMs,
          replyMs: timeouts.firstByteMs,
        },
        signal,
      )
      try {
        const features = await abortable(login(control, { login: who, security, isDataClear, signal }), signal)
        const session = new Session(control, features)
        if (features.has('REST STREAM') && this.habits.restart === 'unproven') this.habits.restart = 'yes'
        this.#used.add(session)
        return session
      } catch (error) {
        control.destroy(error)
        throw error
      }
    } catch (error) {
      // So many are too many; listings know now.
      if (error instanceof TransferError && error.code === 'Throttled') this.#most = Math.max(1, this.size)
      throw error
    } finally {
      this.#connecting--
      this.#wake()
    }
  }

  #release(session: Session, { isListing }: UseOptions): void {
    if (isListing) this.#listings--
    this.#used.delete(session)
    const { control } = session
    if (control.isUsable && !session.isMarked && !this.#closing.signal.aborted) this.#keep(session)
    else if (control.isClosed || control.pending === 0 || session.isMarked || this.#closing.signal.aborted)
      control.quit()
    else this.#settle(session)
    this.#wake()
  }

  #settle(session: Session): void {
    const settled = session.control.settled(SETTLE_MS).then(() => {
      this.#settling.delete(session)
      if (session.control.isUsable && !this.#closing.signal.aborted) this.#keep(session)
      else session.control.quit()
      this.#wake()
    })
    this.#settling.set(session, settled)
  }

  #keep(session: Session): void {
    const { control } = session
    session.idleSince = performance.now()
    this.#watch(session)
    // A program that has nothing else to do must be able to end.
    control.hold(false)
    this.#idle.push(session)
    const { noopMs = 30_000 } = this.#options
    this.#timer ??= setInterval(() => this.#tend(), noopMs).unref()
  }

  /** What a server says to an idle connection is a farewell. */
  #watch(session: Session): void {
    session.control.onNews = () => {
      const index = this.#idle.indexOf(session)
      if (index >= 0) this.#idle.splice(index, 1)
      session.control.quit()
    }
  }

  /** Keeps idle connections awake, and lets go those that nobody has used for long. */
  #tend(): void {
    const { keepMs = 120_000 } = this.#options
    for (const session of this.#idle.splice(0)) {
      if (performance.now() - session.idleSince > keepMs) {
        session.control.quit()
        continue
      }
      session.control.send('NOOP')
      const { idleSince } = session
      this.#settling.set(
        session,
        session.control.settled(SETTLE_MS).then(() => {
          this.#settling.delete(session)
          if (session.control.isUsable && !this.#closing.signal.aborted) this.#keep(session)
          session.idleSince = idleSince
          this.#wake()
        }),
      )
    }
    if (this.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #wake(): void {
    for (const wake of this.#waiters.splice(0)) wake()
  }
}

/** The connection had died while it was idle, or was closed as the first answer. */
function isStale({ control, isReused }: Session, error: unknown): boolean {
  if (!isReused || !(error instanceof TransferError) || !error.retriable) return false
  return control.heard === 0 || (control.heard === 1 && error.status === undefined && error.code !== 'Timeout')
}
