/** One command, one fresh process: how long, how much CPU, how much memory. */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'

export interface Command {
  argv: readonly string[]
  /** Added to our own environment. */
  env?: Readonly<Record<string, string>>
  /** Keep what it prints (`text`), or connect its output to /dev/null, as the case of `cat` wants. Default: `text`. */
  stdout?: 'text' | 'null'
}

export interface Measurement {
  /** From before the process is started until it is gone; includes about 2 ms of GNU time. */
  wallSeconds: number
  /** User and system time of the process and of every descendant it waited for. */
  userSeconds: number
  systemSeconds: number
  /** The largest single process of the tree, as the kernel counts it. The sum of a tree may be larger. */
  peakRssBytes: number
  /** `undefined` when all went well, else the exit code and the end of what was said. */
  problem: string | undefined
  stdout: string
}

const gnuTime = '/usr/bin/time'
const timeoutMs = 1_200_000

/** Node does not tell what its children used, so GNU time stands between and reports through `reportFile`. */
export async function measure(command: Command, reportFile: string): Promise<Measurement> {
  const argv = ['--quiet', '-f', '%U %S %M', '-o', reportFile, ...command.argv]
  const start = process.hrtime.bigint()
  const child = spawn(gnuTime, argv, {
    env: { ...process.env, ...command.env },
    stdio: ['ignore', command.stdout === 'null' ? 'ignore' : 'pipe', 'pipe'],
    detached: true,
  })
  const said = Promise.all([child.stdout ? text(child.stdout) : '', text(child.stderr!)])
  const { code, isTimedOut } = await exit(child)
  const wallSeconds = Number(process.hrtime.bigint() - start) / 1e9

  const [stdout, stderr] = await said
  const used = (await readFile(reportFile, 'utf8').catch(() => '')).trim().split('\n').at(-1)!.split(' ')
  const [userSeconds = 0, systemSeconds = 0, peakKiB = 0] = used.map(Number)
  const failure = isTimedOut ? `killed after ${timeoutMs / 1000} s` : `exit code ${code}`
  return {
    wallSeconds,
    userSeconds,
    systemSeconds,
    peakRssBytes: peakKiB * 1024,
    problem: code === 0 ? undefined : `${failure}: ${stderr.trim().slice(-300)}`,
    stdout,
  }
}

function exit(child: ChildProcess): Promise<{ code: number | null; isTimedOut: boolean }> {
  return new Promise((resolve, reject) => {
    let isTimedOut = false
    const timer = setTimeout(() => {
      isTimedOut = true
      process.kill(-child.pid!, 'SIGKILL')
    }, timeoutMs)
    // If we are told to stop, the group that we made does not hear of it by itself.
    const stop = () => child.pid && process.kill(-child.pid, 'SIGKILL')
    process.once('exit', stop)
    const done = () => {
      clearTimeout(timer)
      process.off('exit', stop)
    }
    child.on('error', error => {
      done()
      reject(new Error(`Cannot run ${gnuTime}: run scripts/install-servers.sh`, { cause: error }))
    })
    child.on('exit', code => {
      done()
      resolve({ code, isTimedOut })
    })
  })
}

/** As it could be typed into a shell. */
export function shown({ argv, env = {}, stdout }: Command): string {
  const words = [...Object.entries(env).map(([name, value]) => `${name}=${quote(value)}`), ...argv.map(quote)]
  return words.join(' ') + (stdout === 'null' ? ' >/dev/null' : '')
}

export const quote = (word: string) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)
