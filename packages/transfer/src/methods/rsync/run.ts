/** One rsync, from its call to its end: whoever waits for it knows that none is left running. */
import { spawn } from 'node:child_process'
import type { Duplex } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { workerUrl } from '../../workers/worker-url.ts'
import { hasAborted } from '../batch.ts'
import type { RsyncEnd } from './failures.ts'

export interface RunOptions {
  /** What is removed if we are killed meanwhile. */
  readonly directory: string
  readonly args: readonly string[]
  /** For its standard input. */
  readonly input: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly signal?: AbortSignal | undefined
  /** Bytes that it has moved so far. */
  readonly onBytes: (bytes: number) => void
}

/** Of our environment it gets these: whatever else is there may be a secret (reliability F1). */
const handedOn = ['PATH', 'HOME', 'USER', 'LOGNAME', 'TMPDIR', 'SSH_AUTH_SOCK'] as const

const MOST_SAID = 16_384

/** @throws the signal's reason, after it has ended */
export async function runRsync(program: string, options: RunOptions): Promise<RsyncEnd> {
  const { directory, args, input, environment, signal, onBytes } = options
  signal?.throwIfAborted()
  const keeper = fileURLToPath(workerUrl('keeper', import.meta.url))
  const child = spawn(process.execPath, [keeper, directory, program, ...args], {
    env: { ...Object.fromEntries(handedOn.map(name => [name, environment[name]])), LC_ALL: 'C' },
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
  })
  const { promise: ended, resolve, reject } = Promise.withResolvers<number | undefined>()
  child.once('error', reject)
  child.once('close', code => resolve(code ?? undefined))
  let said = ''
  child.stderr!.setEncoding('utf8').on('data', text => (said = (said + text).slice(-MOST_SAID)))
  child.stdout!.setEncoding('utf8').on('data', text => {
    const bytes = bytesIn(text)
    if (bytes !== undefined) onBytes(bytes)
  })
  // One that ended early takes no names.
  child.stdin!.on('error', () => {}).end(input)
  const leash = child.stdio[3] as Duplex
  const end = () => leash.destroy()
  leash.on('error', () => {})
  signal?.addEventListener('abort', end, { once: true })
  try {
    const code = await ended
    if (hasAborted(signal)) throw signal!.reason
    return { code, said }
  } finally {
    signal?.removeEventListener('abort', end)
    end()
  }
}

/** The last of its reports in this text: `     65,536  12%    1.00MB/s    0:00:00`. */
function bytesIn(text: string): number | undefined {
  const last = [...text.matchAll(/([\d,]+)\s+\d+%/g)].at(-1)?.[1]
  return last === undefined ? undefined : Number(last.replaceAll(',', ''))
}
