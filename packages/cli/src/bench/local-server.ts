/** Starts the server of a local target and knows where it listens. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { ProgramError } from '../errors.ts'
import { makeCertificate } from './certificate.ts'
import { ourselves } from './contenders.ts'
import { type Served, type TargetName, targets } from './targets.ts'

export interface LocalServer extends Served, AsyncDisposable {
  /** What a client must trust besides the system's authorities. */
  readonly caFile: string | undefined
}

export interface LocalServerOptions {
  /** Where a certificate may be put. */
  readonly directory: string
  /** Bytes of the file; default: as the target has it. */
  readonly size?: number | undefined
  readonly signal: AbortSignal
}

/** @returns undefined where the target cannot be had on this machine: TLS without OpenSSL */
export async function startLocalServer(
  target: TargetName,
  { directory, size = targets[target].bytes, signal }: LocalServerOptions,
): Promise<LocalServer | undefined> {
  const certificate = target === 'tls' ? await makeCertificate(directory) : undefined
  if (target === 'tls' && !certificate) return undefined
  const trust = certificate ? ['--cert', certificate.certFile, '--key', certificate.keyFile] : []
  const { argv } = ourselves(['bench-serve', '--target', target, '--size', String(size), ...trust])
  // A group of its own: Ctrl-C ends us, and the end of its input ends it, also when we are killed.
  const child = spawn(argv[0]!, argv.slice(1), { stdio: ['pipe', 'pipe', 'inherit'], detached: true })
  const gone = once(child, 'exit')
  child.stdin.on('error', () => {})
  const kill = () => child.kill('SIGKILL')
  signal.addEventListener('abort', kill, { once: true })
  const [line] = await Promise.race([once(createInterface(child.stdout), 'line'), gone.then(() => [undefined])])
  signal.throwIfAborted()
  if (line === undefined) throw new ProgramError('Network', `Cannot start the local server of ${target}.`)
  return {
    ...(JSON.parse(line) as Served),
    caFile: certificate?.certFile,
    async [Symbol.asyncDispose]() {
      signal.removeEventListener('abort', kill)
      child.stdin.end()
      await gone
    },
  }
}
