/** Runs the program under strace: to see what it does, or to make one of its calls fail or be its last. */
import { spawn, spawnSync } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { nodePath, programPath } from '../program.ts'

/** Calls after which a file system is not what it was, or promises to stay what it is. */
export const durableCalls = [
  'openat',
  'creat',
  'write',
  'writev',
  'pwrite64',
  'pwritev',
  'copy_file_range',
  'ftruncate',
  'truncate',
  'fallocate',
  'fsync',
  'fdatasync',
  'sync_file_range',
  'syncfs',
  'sync',
  'link',
  'linkat',
  'symlink',
  'symlinkat',
  'rename',
  'renameat',
  'renameat2',
  'unlink',
  'unlinkat',
  'mkdir',
  'mkdirat',
  'rmdir',
  // Changes nothing, but may be the first to tell that a write failed.
  'close',
] as const

export type Fault = 'SIGKILL' | 'EIO' | 'ENOSPC'

/** The n-th call of this name that names this path. */
export interface Target {
  readonly call: string
  readonly path: string
  readonly ordinal: number
}

export interface Ended {
  readonly code: number | undefined
  readonly signal: string | undefined
  readonly isTimedOut: boolean
  readonly stdout: string
  readonly stderr: string
}

interface RunOptions {
  readonly directory: string
  /** Prefix for the files that take output. */
  readonly files: { readonly stdout: string; readonly stderr: string; readonly log: string }
  readonly timeoutMs?: number
}

/** One thread for asynchronous file calls: their order is then that of the program. */
const environment = { ...process.env, UV_THREADPOOL_SIZE: '1', NO_COLOR: '1' }
const preload = ['--import', fileURLToPath(new URL('./fixed-identity.ts', import.meta.url))]

/** Why faults cannot be injected here; undefined when they can. */
export function whyNoStrace(): string | undefined {
  const { error, status, stderr } = spawnSync('strace', ['-f', '-o', '/dev/null', '-e', 'trace=openat', 'true'])
  if (error) return 'strace is not installed'
  return status === 0 ? undefined : `strace cannot trace here: ${String(stderr).trim().split('\n')[0]}`
}

/** As a user would run it. */
export function runPlainly(args: readonly string[], options: RunOptions): Promise<Ended> {
  return run(nodePath, [programPath, ...args], options)
}

/** Writes every durable call to `files.log`. */
export function runTraced(args: readonly string[], options: RunOptions): Promise<Ended> {
  const trace = [`trace=${durableCalls.join(',')}`, '--seccomp-bpf', '-s', '100000']
  return runStraced(trace, args, options)
}

/** The fault hits at `target`; whether it was reached is what `isReached` tells. */
export async function runFaulted(
  args: readonly string[],
  { call, path, ordinal }: Target,
  fault: Fault,
  options: RunOptions,
): Promise<Ended & { readonly isReached: boolean }> {
  const how = fault === 'SIGKILL' ? 'signal=SIGKILL' : `error=${fault}`
  // A signal is not delivered from the stops that a seccomp filter makes.
  const speed = fault === 'SIGKILL' ? [] : ['--seccomp-bpf']
  const expressions = [`trace=${call}`, ...speed, '-e', `inject=${call}:${how}:when=${ordinal}`, '-P', path]
  const ended = await runStraced(expressions, args, options)
  const log = readFileSync(options.files.log, 'utf8')
  return { ...ended, isReached: log.includes(fault === 'SIGKILL' ? '+++ killed by SIGKILL +++' : '(INJECTED)') }
}

function runStraced(expressions: readonly string[], args: readonly string[], options: RunOptions): Promise<Ended> {
  const strace = ['-f', '-y', '-qq', '-o', options.files.log, '-e', ...expressions]
  return run('strace', [...strace, nodePath, ...preload, programPath, ...args], options)
}

function run(
  file: string,
  args: readonly string[],
  { directory, files, timeoutMs = 60_000 }: RunOptions,
): Promise<Ended> {
  const [stdout, stderr] = [openSync(files.stdout, 'w'), openSync(files.stderr, 'w')]
  // A group of its own, so that a time-out also ends what strace started.
  const child = spawn(file, args, {
    cwd: directory,
    env: environment,
    stdio: ['ignore', stdout, stderr],
    detached: true,
  })
  closeSync(stdout)
  closeSync(stderr)
  return new Promise((resolve, reject) => {
    let isTimedOut = false
    const timer = setTimeout(() => {
      isTimedOut = true
      try {
        process.kill(-child.pid!, 'SIGKILL')
      } catch {
        // Gone already.
      }
    }, timeoutMs)
    child.on('error', reject)
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      resolve({
        code: code ?? undefined,
        signal: signal ?? undefined,
        isTimedOut,
        stdout: readFileSync(files.stdout, 'utf8'),
        stderr: readFileSync(files.stderr, 'utf8'),
      })
    })
  })
}
