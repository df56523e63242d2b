/** strace on a server that runs already: counting starts when it answers calls. */
import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { durableCalls, type Fault } from '../strace.ts'

/** A call of one thread: the n-th of this name since strace was attached. */
export interface ThreadPoint {
  /** The thread's name, and which of those with this name it is, by age. */
  readonly thread: string
  readonly call: string
  readonly ordinal: number
}

export interface Attached extends AsyncDisposable {
  /** What strace wrote, when it has ended. */
  log(): string
}

export async function trace(pid: number, log: string): Promise<Attached> {
  const calls = durableCalls.filter(call => call !== 'close').join(',')
  return await attach(['-f', '-y', '-s', '64', '-p', String(pid), '-e', `trace=${calls}`], log)
}

/** Undefined where there is no such thread yet. */
export async function inject(
  pid: number,
  { thread, call, ordinal }: ThreadPoint,
  fault: Fault,
  log: string,
): Promise<Attached | undefined> {
  const id = [...threadsOf(pid)].find(([, name]) => name === thread)?.[0]
  if (id === undefined) return undefined
  const how = fault === 'SIGKILL' ? 'signal=SIGKILL' : `error=${fault}`
  return await attach(['-p', String(id), '-e', `trace=${call}`, '-e', `inject=${call}:${how}:when=${ordinal}`], log)
}

/** Names by thread id; the older one of two with one name has the smaller number. */
export function threadsOf(pid: number): Map<number, string> {
  const counts = new Map<string, number>()
  const ids = readdirSync(`/proc/${pid}/task`)
    .map(Number)
    .sort((a, b) => a - b)
  return new Map(
    ids.map(id => {
      const name = readFileSync(`/proc/${pid}/task/${id}/comm`, 'utf8').trim()
      const count = (counts.get(name) ?? 0) + 1
      counts.set(name, count)
      return [id, `${name}#${count}`]
    }),
  )
}

async function attach(args: readonly string[], log: string): Promise<Attached> {
  const child = spawn('strace', ['-o', log, ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = new Promise<void>(resolve => child.once('close', () => resolve()))
  await whenAttached(child)
  return {
    log: () => readFileSync(log, 'utf8'),
    async [Symbol.asyncDispose]() {
      child.kill('SIGINT')
      // A signal to the server before strace has let go of it would be lost.
      await ended
    },
  }
}

async function whenAttached(child: ChildProcess): Promise<void> {
  let text = ''
  await new Promise<void>((resolve, reject) => {
    child.stderr?.on('data', (bytes: Buffer) => {
      text += bytes.toString()
      if (/ attached/.test(text)) resolve()
    })
    child.once('close', () => reject(new Error(`strace could not attach: ${text}`)))
  })
}
