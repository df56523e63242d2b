/** A line that is typed and not shown. */
import type { ReadStream } from 'node:tty'

const CTRL_C = '\u0003'
const CTRL_D = '\u0004'
const CTRL_U = '\u0015'
const BACKSPACES = ['\u0008', '\u007f']

/** Keys come to us alone while it is typed, so Ctrl-C must be made a signal again. */
export function readSecret(
  prompt: string,
  signal: AbortSignal,
  stdin: ReadStream = process.stdin as ReadStream,
  write: (text: string) => void = text => void process.stderr.write(text),
  interrupt: () => void = () => void process.kill(process.pid, 'SIGINT'),
): Promise<string> {
  signal.throwIfAborted()
  return new Promise((resolve, reject) => {
    let typed: string[] = []
    const finish = (settle: () => void) => {
      stdin.off('data', onData)
      signal.removeEventListener('abort', onAbort)
      stdin.setRawMode(false)
      stdin.pause()
      write('\n')
      settle()
    }
    const onAbort = () => finish(() => reject(signal.reason))
    const onData = (data: Buffer | string) => {
      for (const key of data.toString()) {
        if (key === '\r' || key === '\n') return finish(() => resolve(typed.join('')))
        if (key === CTRL_D) return finish(() => resolve(typed.join('')))
        if (key === CTRL_C) interrupt()
        else if (key === CTRL_U) typed = []
        else if (BACKSPACES.includes(key)) typed.pop()
        else if (key >= ' ') typed.push(key)
      }
    }
    write(prompt)
    stdin.setRawMode(true)
    stdin.setEncoding('utf8')
    stdin.on('data', onData)
    stdin.resume()
    signal.addEventListener('abort', onAbort, { once: true })
  })
}
