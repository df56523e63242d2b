/** One command, one fresh process: how long, how much CPU, how much memory. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { Command } from './command.ts'

export interface Measurement {
  /** From before the process is started until it is gone; includes about 2 ms of whoever stands between. */
  readonly wallSeconds: number
  /** User and system time of the process and of every descendant it waited for. */
  readonly userSeconds: number
  readonly systemSeconds: number
  /**
   * The largest single process of the tree, as the kernel counts it. The sum of a tree may be larger. Undefined without
   * GNU time.
   */
  readonly peakRssBytes: number | undefined
  /** `undefined` when all went well, else the exit code and the end of what was said. */
  readonly problem: string | undefined
  /** What it printed, or the SHA-256 of that in hex. */
  readonly stdout: string
}

export interface MeasureOptions {
  /** Ends the process and what it started. */
  readonly signal?: AbortSignal | undefined
  /** Default: 20 minutes. */
  readonly timeoutMs?: number | undefined
}

const gnuTime = '/usr/bin/time'

/** Node does not tell what its children used, so somebody stands between and reports. */
export async function measure(
  command: Command,
  reportFile: string,
  { signal, timeoutMs = 1_200_000 }: MeasureOptions = {},
): Promise<Measurement> {
  signal?.throwIfAborted()
  const argv = existsSync(gnuTime) ? withGnuTime(command, reportFile) : withShell(command, reportFile)
  const start = process.hrtime.bigint()
  const child = spawn(argv[0]!, argv.slice(1), {
    env: { ...process.env, ...command.env },
    stdio: ['ignore', command.stdout === 'null' ? 'ignore' : 'pipe', 'pipe'],
    detached: true,
  })
  const said = Promise.all([child.stdout ? read(child.stdout, command) : '', text(child.stderr!)])
  const { code, isTimedOut } = await exit(child, timeoutMs, signal)
  const wallSeconds = Number(process.hrtime.bigint() - start) / 1e9
  const [stdout, stderr] = await said
  signal?.throwIfAborted()

  const used = parseUsed(await readFile(reportFile, 'utf8').catch(() => ''))
  const failure = isTimedOut ? `killed after ${timeoutMs / 1000} s` : `exit code ${code}`
  const problem = code === 0 ? undefined : `${failure}: ${stderr.trim().slice(-300)}`
  return { wallSeconds, ...used, problem, stdout }
}

function withGnuTime(command: Command, reportFile: string): string[] {
  return [gnuTime, '--quiet', '-f', '%U %S %M', '-o', reportFile, ...command.argv]
}

/** `times` is built into every POSIX shell; what the peak of memory was, none of them knows. */
function withShell(command: Command, reportFile: string): string[] {
  const script = 'report=$1; shift; "$@"; code=$?; times >"$report"; exit $code'
  return ['/bin/sh', '-c', script, 'sh', reportFile, ...command.argv]
}

type Used = Pick<Measurement, 'userSeconds' | 'systemSeconds' | 'peakRssBytes'>

/** Of GNU time `1.02 0.33 80124`; of a shell its own times, and below them those of its children: `0m1.02s 0m0.33s`. */
export function parseUsed(report: string): Used {
  const words = (report.trim().split('\n').at(-1) ?? '').split(/\s+/)
  const [user = 0, system = 0] = words.map(secondsOf)
  const peakKiB = words[2] === undefined ? undefined : Number(words[2])
  return {
    userSeconds: user,
    systemSeconds: system,
    peakRssBytes: peakKiB === undefined ? undefined : peakKiB * 1024,
  }
}

function secondsOf(word: string): number {
  const [, minutes = 0, seconds] = /^(?:(\d+)m)?([\d.]+)s?$/.exec(word) ?? []
  return seconds === undefined ? 0 : Number(minutes) * 60 + Number(seconds)
}

async function read(stdout: Readable, command: Command): Promise<string> {
  if (command.stdout !== 'digest') return text(stdout)
  const hash = createHash('sha256')
  for await (const bytes of stdout) hash.update(bytes)
  return hash.digest('hex')
}

function exit(
  child: ChildProcess,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<{ code: number | null; isTimedOut: boolean }> {
  return new Promise((resolve, reject) => {
    let isTimedOut = false
    // If we are told to stop, the group that we made does not hear of it by itself.
    const stop = () => {
      try {
        if (child.pid) process.kill(-child.pid, 'SIGKILL')
      } catch {
        // It has just ended.
      }
    }
    const timer = setTimeout(() => {
      isTimedOut = true
      stop()
    }, timeoutMs)
    process.once('exit', stop)
    signal?.addEventListener('abort', stop, { once: true })
    const done = () => {
      clearTimeout(timer)
      process.off('exit', stop)
      signal?.removeEventListener('abort', stop)
    }
    child.on('error', error => {
      done()
      reject(new Error(`Cannot run ${child.spawnfile}: ${error.message}`, { cause: error }))
    })
    child.on('exit', code => {
      done()
      resolve({ code, isTimedOut })
    })
  })
}
