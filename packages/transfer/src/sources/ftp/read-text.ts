import type { Socket } from 'node:net'
import { TransferError } from '../../errors.ts'
import { networkError, timeoutError } from '../../http/network-error.ts'
import type { Control } from './control.ts'

export interface ReadTextOptions {
  readonly control: Control
  readonly idleMs: number
  readonly signal: AbortSignal
}

/** A listing of a million names is a hundred megabytes; whoever sends more does not mean well. */
const MOST = 1 << 29

/** Everything that comes over a data connection, bytes as characters. Whether it is all, the control connection tells. */
export async function readText(socket: Socket, { control, idleMs, signal }: ReadTextOptions): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const chunks: Buffer[] = []
  let length = 0
  const onAbort = () => reject(signal.reason)
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    length += chunk.length
    if (length > MOST) reject(new TransferError('Protocol', `Cannot list ${control.uri}: the listing has no end`))
  })
  socket.on('end', resolve)
  socket.on('close', () => resolve())
  socket.on('error', error => reject(networkError(error, control.where, control.uri)))
  socket.setTimeout(idleMs, () => reject(timeoutError('idle', control.where, control.uri)))
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    signal.throwIfAborted()
    await promise
    return Buffer.concat(chunks).toString('latin1')
  } finally {
    signal.removeEventListener('abort', onAbort)
    socket.destroy()
  }
}
