import { connect as connectTcp, isIPv6, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { TransferError } from '../../errors.ts'
import { networkError, timeoutError } from '../../http/network-error.ts'
import type { Control } from './control.ts'
import { isUnknownCommand, refusal } from './failure.ts'
import { type Reply, wordsOf } from './reply.ts'

/** How the kernel writes into our memory; see `net.connect`. */
export interface OnRead {
  buffer(): Uint8Array
  callback(count: number, buffer: Uint8Array): boolean
}

/** What one server has shown to work; shared by its connections. */
export interface PassiveHabit {
  /** EPSV is not understood, or the ports that it names cannot be reached. */
  isEpsvBroken: boolean
}

export interface DataOptions {
  readonly habit: PassiveHabit
  readonly isSecure: boolean
  readonly connectMs: number
  readonly onread?: OnRead | undefined
  readonly signal: AbortSignal
}

/**
 * A data connection that stands, before the command that uses it (RFC 959, 2428). It always leads to the address of the
 * control connection: the one in a PASV reply may be private, or a third party's.
 */
export async function openData(control: Control, options: DataOptions): Promise<Socket> {
  const { habit } = options
  if (!habit.isEpsvBroken) {
    const reply = await control.ask('EPSV')
    if (reply.code === 229) {
      const port = parseEpsv(reply)
      if (port === undefined) throw unclear(control, 'EPSV', reply)
      try {
        return await connectData(control, port, options)
      } catch (error) {
        // Firewalls that rewrite PASV replies may know nothing of EPSV.
        if (options.signal.aborted || isIPv6(control.peer) || !control.isUsable) throw error
      }
    } else if (!isUnknownCommand(reply)) throw refusal(reply, { uri: control.uri, asked: 'EPSV' })
  }
  const reply = await control.ask('PASV')
  if (reply.code !== 227) throw refusal(reply, { uri: control.uri, asked: 'PASV' })
  const port = parsePasv(reply)
  if (port === undefined) throw unclear(control, 'PASV', reply)
  const socket = await connectData(control, port, options)
  habit.isEpsvBroken = true
  return socket
}

/** `229 Entering Extended Passive Mode (|||6446|)`: any character may stand for the bar. */
export function parseEpsv(reply: Reply): number | undefined {
  const match = /\((.)\1\1(\d{1,5})\1\)/.exec(reply.lines.join(' '))
  return asPort(Number(match?.[2]))
}

/** `227 Entering Passive Mode (h1,h2,h3,h4,p1,p2)`, with or without the brackets. */
export function parsePasv(reply: Reply): number | undefined {
  const match = /(?:\d{1,3}\s*,\s*){4}(\d{1,3})\s*,\s*(\d{1,3})/.exec(reply.lines.join(' '))
  const [high, low] = [Number(match?.[1]), Number(match?.[2])]
  return high < 256 && low < 256 ? asPort(high * 256 + low) : undefined
}

async function connectData(control: Control, port: number, options: DataOptions): Promise<Socket> {
  const { isSecure, onread, connectMs, signal } = options
  const host = control.peer
  const common = { host, port, noDelay: true, ...(onread ? { onread } : {}) }
  const { session } = control
  const socket = isSecure
    ? // The handshake ends only after the transfer command, so only the TCP connection is waited for.
      connectTls({ ...control.tlsOptions, ...common, ...(session ? { session } : {}) })
    : connectTcp(common)
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const where = `${host}:${port}`
  const timer = setTimeout(() => reject(timeoutError('connect', where, control.uri)), connectMs)
  const onError = (error: Error) => reject(networkError(error, where, control.uri))
  const onAbort = () => reject(signal.reason)
  socket.once('connect', resolve)
  socket.on('error', onError)
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    await promise
    return socket
  } catch (error) {
    socket.destroy()
    throw error
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
  }
}

function unclear(control: Control, asked: string, reply: Reply): TransferError {
  const what = `Cannot fetch ${control.uri}: the server's answer to ${asked} names no port (${wordsOf(reply)})`
  return new TransferError('Protocol', what, { url: control.uri, retriable: false })
}

function asPort(port: number): number | undefined {
  return port > 0 && port < 65536 ? port : undefined
}
