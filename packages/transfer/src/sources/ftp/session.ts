import { abortable } from '../../abortable.ts'
import type { Control } from './control.ts'
import { refusal } from './failure.ts'
import type { Reply } from './reply.ts'

/** A connection that is logged in. */
export class Session {
  readonly control: Control
  /** What FEAT named, in upper case. */
  readonly features: ReadonlySet<string>
  /** It has served before: it may be dead without anybody knowing. */
  isReused = false
  /** Since when it is idle, monotonic ms. */
  idleSince = 0
  /** A restart offset was set and no transfer has used it up: the next one would begin at the wrong place. */
  isMarked = false
  /** The facts of MLSD were chosen. */
  hasFacts = false
  /** Where it is, as given to `enter`; undefined: the login directory. */
  #directory: string | undefined
  #home: string | undefined

  constructor(control: Control, features: ReadonlySet<string>) {
    this.control = control
    this.features = features
  }

  ask(command: string, signal: AbortSignal): Promise<Reply> {
    signal.throwIfAborted()
    return abortable(this.control.ask(command), signal)
  }

  reply(signal: AbortSignal, timeoutMs?: number): Promise<Reply> {
    return abortable(this.control.reply(timeoutMs), signal)
  }

  /** Goes to a directory: absolute, or relative to the login directory; undefined: there. */
  async enter(directory: string | undefined, signal: AbortSignal): Promise<void> {
    if (directory === this.#directory) return
    const target = await this.#absolute(directory, signal)
    const reply = await this.ask(`CWD ${target}`, signal)
    if (reply.code < 200 || reply.code >= 300) throw refusal(reply, { uri: this.control.uri, asked: 'CWD' })
    this.#directory = directory
  }

  /** Whether there is a directory of this path; goes there if so. */
  async tryEnter(directory: string, signal: AbortSignal): Promise<boolean> {
    const reply = await this.ask(`CWD ${await this.#absolute(directory, signal)}`, signal)
    if (reply.code >= 200 && reply.code < 300) this.#directory = directory
    else if (reply.code !== 550 && reply.code !== 501 && reply.code !== 553) {
      throw refusal(reply, { uri: this.control.uri, asked: 'CWD' })
    }
    return this.#directory === directory
  }

  /** Servers start relative paths wherever they are now. */
  async #absolute(directory: string | undefined, signal: AbortSignal): Promise<string> {
    if (directory?.startsWith('/')) return directory
    this.#home ??= await this.#askHome(signal)
    if (directory === undefined || directory === '') return this.#home
    return `${this.#home.replace(/\/$/, '')}/${directory}`
  }

  /** `257 "/home/me" is the current directory`, quotes in it doubled (RFC 959, appendix II). */
  async #askHome(signal: AbortSignal): Promise<string> {
    const reply = await this.ask('PWD', signal)
    const path = /^[^"]*"((?:[^"]|"")*)"/.exec(reply.lines.join('\n'))?.[1]?.replaceAll('""', '"')
    if (reply.code !== 257 || !path) throw refusal({ ...reply, code: 502 }, { uri: this.control.uri, asked: 'PWD' })
    return path
  }
}
