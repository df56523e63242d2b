/** A connection that says exactly what a test wants it to say. */
import { connect } from 'node:net'

export interface RawAnswer {
  /** Status codes of all answers, in order. */
  readonly statuses: readonly number[]
  readonly text: string
  /** Whether the server ended the connection; otherwise the test did. */
  readonly isClosed: boolean
}

/** Writes the pieces, waits for the end or for `patienceMs` of silence. */
export function rawHttp(port: number, pieces: readonly string[], { patienceMs = 500 } = {}): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    let text = ''
    let timer: NodeJS.Timeout
    const finish = (isClosed: boolean) => {
      clearTimeout(timer)
      socket.destroy()
      const statuses = [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(match => Number(match[1]))
      resolve({ statuses, text, isClosed })
    }
    const wait = () => {
      clearTimeout(timer)
      timer = setTimeout(() => finish(false), patienceMs)
    }
    socket.setEncoding('latin1')
    socket.on('data', data => {
      text += data
      wait()
    })
    socket.on('close', () => finish(true))
    socket.on('error', error =>
      (error as NodeJS.ErrnoException).code === 'ECONNREFUSED' ? reject(error) : finish(true),
    )
    socket.on('connect', () => {
      for (const piece of pieces) socket.write(piece, 'latin1')
      wait()
    })
  })
}
