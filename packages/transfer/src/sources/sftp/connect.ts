/** One SSH connection with an SFTP session on it: host key, login, channel, version. */
import { Client, type ClientChannel } from 'ssh2'
import { abortable } from '../../abortable.ts'
import { TransferError } from '../../errors.ts'
import { networkError, timeoutError } from '../../http/network-error.ts'
import { Authentication } from './authentication.ts'
import { algorithmsOfType, hostKeyAlgorithms, judgeHostKey } from './host-key.ts'
import { useKeyObjects } from './key-objects.ts'
import { typeOfKey } from './known-hosts.ts'
import { SftpSession } from './session.ts'
import type { SshSettings } from './settings.ts'
import { SshSocket } from './ssh-socket.ts'

export interface Patience {
  readonly connectMs: number
  readonly firstByteMs: number
  readonly idleMs: number
}

/** Faster first: AES has its own instructions on today's processors. */
const CIPHERS = [
  'aes128-gcm@openssh.com',
  'aes256-gcm@openssh.com',
  'aes128-ctr',
  'aes192-ctr',
  'aes256-ctr',
  'chacha20-poly1305@openssh.com',
] as const

/** Their decryption copies what it is given, so the socket's memory can be used again at once. */
const COPYING = /^aes\d+-(gcm@openssh\.com|ctr)$/

/** The server has enough of us, for now: others that are open serve as well. */
export class CrowdedError extends Error {}

/**
 * Connects, once. A host with several keys is asked for the next one if the first does not have the fingerprint that the
 * caller gave: it may be that of another key.
 */
export async function connectSftp(
  settings: SshSettings,
  patience: Patience,
  signal: AbortSignal,
): Promise<SftpSession> {
  let algorithms = hostKeyAlgorithms(settings.hostKey)
  let refused: TransferError | undefined
  for (;;) {
    const attempt = new Attempt(settings, patience, algorithms)
    try {
      return await attempt.run(signal)
    } catch (error) {
      const isNoOther = refused !== undefined && !attempt.refused && !attempt.hasHostKey
      if (isNoOther) throw refused
      if (!attempt.refused || settings.hostKey.fingerprint === undefined) throw error
      refused ??= attempt.refused
      const shown = algorithmsOfType(attempt.shownType)
      algorithms = algorithms.filter(name => !shown.includes(name))
      if (algorithms.length === 0) throw refused
    }
  }
}

class Attempt {
  readonly #settings: SshSettings
  readonly #patience: Patience
  readonly #algorithms: readonly string[]
  readonly #client = new Client()
  readonly #socket = new SshSocket()
  /** Why the host's key was not accepted. */
  refused: TransferError | undefined
  shownType: string | undefined
  hasHostKey = false
  #phase: 'connect' | 'handshake' | 'login' | 'channel' = 'connect'

  constructor(settings: SshSettings, patience: Patience, algorithms: readonly string[]) {
    this.#settings = settings
    this.#patience = patience
    this.#algorithms = algorithms
  }

  async run(signal: AbortSignal): Promise<SftpSession> {
    signal.throwIfAborted()
    const authentication = await Authentication.prepare(this.#settings)
    signal.throwIfAborted()
    const opening = this.#open(authentication)
    try {
      return await abortable(opening, signal)
    } catch (error) {
      this.#socket.destroy()
      throw error
    }
  }

  async #open(authentication: Authentication): Promise<SftpSession> {
    const { promise: failed, reject } = Promise.withResolvers<never>()
    failed.catch(() => {})
    const fail = (cause: unknown) => reject(this.#failure(cause, authentication))
    this.#client.on('error', (error: Error & { level?: string }) => {
      // An agent that is not there is one method less.
      if (error.level === 'agent') authentication.agentLost()
      else fail(error)
    })
    this.#client.on('close', () => fail(undefined))
    let timer = this.#limit(this.#patience.connectMs, 'connect', reject)
    try {
      await Promise.race([this.#connect(authentication), failed])
      clearTimeout(timer)
      this.#phase = 'handshake'
      timer = this.#limit(this.#patience.firstByteMs, 'first byte', reject)
      const channel = await Promise.race([this.#login(authentication), failed])
      const session = new SftpSession(channel, this.#client, this.#socket, {
        where: this.#settings.where,
        uri: this.#uri,
        idleMs: this.#patience.idleMs,
      })
      await Promise.race([session.start(), failed])
      return session
    } finally {
      clearTimeout(timer)
    }
  }

  #connect(authentication: Authentication): Promise<void> {
    const { host, port } = this.#settings
    return new Promise((resolve, reject) => {
      const onError = (error: Error) => reject(this.#failure(error, authentication))
      this.#socket.once('error', onError)
      this.#socket.setKeepAlive(true, 30_000)
      this.#socket.connect({ host, port }, () => {
        this.#socket.off('error', onError)
        resolve()
      })
    })
  }

  #login(authentication: Authentication): Promise<ClientChannel> {
    const client = this.#client
    return new Promise((resolve, reject) => {
      client.once('handshake', ({ sc }) => {
        this.#phase = 'login'
        if (COPYING.test(sc.cipher)) this.#socket.shareMemory()
      })
      client.on('handshake', () => useKeyObjects(client))
      client.once('ready', () => {
        this.#phase = 'channel'
        client.subsys('sftp', (error, channel) =>
          error ? reject(this.#failure(error, authentication)) : resolve(channel),
        )
      })
      client.connect({
        sock: this.#socket,
        username: this.#settings.user,
        readyTimeout: 0,
        hostVerifier: (key: Buffer) => this.#accepts(key),
        authHandler: (offered, _partial, next) => next(authentication.next(offered) as Parameters<typeof next>[0]),
        algorithms: { cipher: [...CIPHERS], compress: ['none'], serverHostKey: this.#algorithms as never },
      })
    })
  }

  /** Called again when keys are renewed in the middle. */
  #accepts(key: Buffer): boolean {
    this.hasHostKey = true
    this.shownType = typeOfKey(key)
    this.refused = judgeHostKey(key, this.#settings.hostKey)
    return this.refused === undefined
  }

  #limit(ms: number, phase: 'connect' | 'first byte', reject: (error: Error) => void): NodeJS.Timeout {
    return setTimeout(() => reject(timeoutError(phase, this.#settings.where, this.#uri)), ms)
  }

  get #uri(): string {
    return this.#settings.uri
  }

  /** What a failure means depends on how far we were. */
  #failure(cause: unknown, authentication: Authentication): Error {
    if (this.refused) return this.refused
    const { where } = this.#settings
    const message = cause instanceof Error ? cause.message : ''
    const level = cause instanceof Error && 'level' in cause ? cause.level : undefined
    if (level === 'client-authentication') return authentication.failure()
    if (this.#phase === 'login' && /too many authentication failures/i.test(message)) return authentication.failure()
    if (level === 'client-socket' && this.#phase !== 'handshake') return networkError(cause, where, this.#uri)
    if (level === 'handshake' && /no matching/i.test(message)) {
      const what = `Cannot connect to ${this.#uri}: no common method for the connection (${message})`
      return new TransferError('Unsupported', what, { url: this.#uri, cause })
    }
    if (this.#phase === 'connect') return networkError(cause, where, this.#uri)
    if (this.#phase === 'channel') {
      if (/unable to start subsystem/i.test(message)) {
        return new TransferError('Unsupported', `Cannot fetch from ${this.#uri}: it offers no SFTP`, {
          url: this.#uri,
          cause,
        })
      }
      return new CrowdedError(
        `Cannot open an SFTP session at ${this.#uri}: ${message || 'the connection was closed'}`,
        {
          cause,
        },
      )
    }
    // Servers that have too many connections begin to close new ones unheard (MaxStartups).
    if (!this.hasHostKey && level !== 'handshake') {
      return new CrowdedError(`Cannot connect to ${this.#uri}: it closed the connection before the handshake`, {
        cause,
      })
    }
    return networkError(cause ?? new Error('closed before the login was done'), where, this.#uri)
  }
}
