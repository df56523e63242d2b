/** A librarian as a process of its own, on a data directory that outlives it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { nodePath, programPath } from '../../program.ts'

export interface Librarian {
  readonly pid: number
  readonly url: string
  readonly authorization: string
  /** Resolves when the process has ended. */
  readonly ended: Promise<void>
  readonly isRunning: () => boolean
  /** SIGTERM, and its end. */
  stop(): Promise<void>
}

const password = 'a password for tests only'
const patienceMs = 60_000

export function filesOf(home: string): string {
  return join(home, 'data', 'files')
}

export async function startLibrarian(home: string, env: Readonly<Record<string, string>> = {}): Promise<Librarian> {
  mkdirSync(home, { recursive: true })
  const secret = join(home, 'password')
  if (!existsSync(secret)) writeFileSync(secret, password, { mode: 0o600 })
  const [stdout, stderr] = [join(home, 'stdout'), join(home, 'stderr')]
  const child = run(home, stdout, stderr, ['--admin-password-file', secret], env)
  const ended = new Promise<void>(resolve => child.once('close', () => resolve()))
  const isRunning = () => child.exitCode === null && child.signalCode === null
  const url = await readyUrl(stdout, stderr, isRunning)
  return {
    pid: child.pid!,
    url,
    authorization: `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`,
    ended,
    isRunning,
    async stop() {
      if (isRunning()) child.kill('SIGTERM')
      await ended
    },
  }
}

function run(
  home: string,
  stdout: string,
  stderr: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): ChildProcess {
  const [out, err] = [openSync(stdout, 'w'), openSync(stderr, 'w')]
  try {
    return spawn(
      nodePath,
      [programPath, 'serve', '--data', join(home, 'data'), '--port', '0', '--json', ...args],
      // One thread for asynchronous file calls: their order is then that of the program.
      {
        cwd: home,
        env: { ...process.env, UV_THREADPOOL_SIZE: '1', NO_COLOR: '1', ...env },
        stdio: ['ignore', out, err],
      },
    )
  } finally {
    closeSync(out)
    closeSync(err)
  }
}

async function readyUrl(stdout: string, stderr: string, isRunning: () => boolean): Promise<string> {
  const end = performance.now() + patienceMs
  while (performance.now() < end) {
    const line = readFileSync(stdout, 'utf8')
      .split('\n')
      .find(text => text.includes('"ready"'))
    if (line !== undefined) return JSON.parse(line).url
    if (!isRunning()) break
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  throw new Error(`the librarian did not start: ${readFileSync(stderr, 'utf8').slice(-2000)}`)
}
