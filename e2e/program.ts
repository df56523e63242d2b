/** Runs the built program the way a user's shell would: a fresh process under the Node that the repository pins. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export interface RunOptions {
  /** Default: the caller's. */
  cwd?: string
  /** Added to the caller's environment; `undefined` removes a variable. */
  env?: Readonly<Record<string, string | undefined>>
  /** Written to standard input, which is then closed. Default: nothing. */
  input?: string | Uint8Array
  /** Kills the program and rejects after this long. Default: 120,000. */
  timeoutMs?: number
}

export interface Outcome {
  /** Exit code; as in a shell, 128 + the signal's number when a signal ended it. */
  code: number
  stdout: string
  /** What `stdout` shows as text, as it was written. */
  stdoutBytes: Buffer
  stderr: string
}

export interface RunningProgram {
  readonly process: ChildProcess
  readonly outcome: Promise<Outcome>
}

const repository = fileURLToPath(new URL('..', import.meta.url))

/** The program's entry. It must have been built: `npm run build`. */
export const programPath = `${repository}packages/cli/bin/arriero.js`

/** The pinned Node, or the running one where npm could not install it. */
export const nodePath = [`${repository}node_modules/node/bin/node`].find(path => existsSync(path)) ?? process.execPath

/** Runs to the end. A failure is an outcome, not an exception. */
export function arriero(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  return startArriero(args, options).outcome
}

/** Starts it and hands it over, for checks that send signals. */
export function startArriero(args: readonly string[], options: RunOptions = {}): RunningProgram {
  return startProcess(nodePath, [programPath, ...args], options)
}

/** Any other program with the same outcome, for checks that need a shell around ours. */
export function startProcess(file: string, args: readonly string[], options: RunOptions = {}): RunningProgram {
  const { cwd, env, input, timeoutMs = 120_000 } = options
  // A group of its own, so that a time-out also ends what the program or its shell started.
  const child = spawn(file, args, { cwd, env: { ...process.env, ...env }, detached: true })
  const endWithUs = () => killGroup(child)
  process.prependOnceListener('exit', endWithUs)
  child.once('close', () => process.off('exit', endWithUs))
  return { process: child, outcome: collect(child, `${file} ${args.join(' ')}`, input, timeoutMs) }
}

function collect(
  child: ReturnType<typeof spawn>,
  shown: string,
  input: string | Uint8Array | undefined,
  timeoutMs: number,
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let stderr = ''
    child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.stderr?.setEncoding('utf8').on('data', text => (stderr += text))
    // A program that exits without reading its input is no fault of the harness.
    child.stdin?.on('error', () => {}).end(input)

    const timer = setTimeout(() => {
      killGroup(child)
      reject(new Error(`Cannot finish within ${timeoutMs / 1000} s: ${shown}\n${stderr.slice(-2000)}`))
    }, timeoutMs)
    child.on('error', error => {
      clearTimeout(timer)
      reject(error)
    })
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      const stdoutBytes = Buffer.concat(chunks)
      const stdout = stdoutBytes.toString('utf8')
      resolve({ code: code ?? 128 + (signalNumbers[signal ?? ''] ?? 0), stdout, stdoutBytes, stderr })
    })
  })
}

const signalNumbers: Readonly<Record<string, number>> = { SIGINT: 2, SIGKILL: 9, SIGPIPE: 13, SIGTERM: 15 }

function killGroup(child: ChildProcess): void {
  try {
    process.kill(-child.pid!, 'SIGKILL')
  } catch {
    // already gone
  }
}
