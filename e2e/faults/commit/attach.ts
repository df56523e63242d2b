/** strace on a server that runs already: counting starts when it answers calls. */
import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { type Call, parseCalls } from '../calls.ts'
import { durableCalls, type Fault } from '../strace.ts'

export type CommitFault = Fault | 'EMFILE'

/** A call of one thread: the n-th of this name since strace was attached. */
export interface ThreadPoint {
  /** Its name. Whichever of those with this name gets so far first is hit: who takes a task depends on timing. */
  readonly thread: string
  readonly call: string
  readonly ordinal: number
}

export interface Attached extends AsyncDisposable {
  /** Every call that was seen; after the end. */
  calls(): readonly Call[]
  /** The calls that the fault hit, one of each thread at most; after the end. */
  hits(): readonly Call[]
}

const traced = durableCalls.filter(call => call !== 'close')

/** @param more calls that change nothing, but tell something */
export function trace(pid: number, log: string, more: readonly string[] = []): Promise<Attached> {
  const calls = [...traced, 'sendfile', ...more].join(',')
  return attach(['-f', '-y', '-s', '20000', '-p', String(pid), '-e', `trace=${calls}`], log)
}

/** Undefined where there is no such thread yet. */
export function inject(pid: number, { thread, call, ordinal }: ThreadPoint, fault: CommitFault, log: string) {
  const how = fault === 'SIGKILL' ? 'signal=SIGKILL' : `error=${fault}`
  return attachTo(pid, thread, ['-e', `trace=${call}`, '-e', `inject=${call}:${how}:when=${ordinal}`], log)
}

/** In whichever thread gets so far first, those included that are not there yet. */
export function injectAnywhere(pid: number, { call, ordinal }: ThreadPoint, fault: CommitFault, log: string) {
  const how = fault === 'SIGKILL' ? 'signal=SIGKILL' : `error=${fault}`
  const what = ['-e', `trace=${call}`, '-e', `inject=${call}:${how}:when=${ordinal}`]
  return attach(['-f', '-y', '-s', '64', '-p', String(pid), ...what], log)
}

/** Every one of these calls fails. Undefined where there is no such thread yet. */
export function injectAll(pid: number, thread: string, calls: readonly string[], fault: CommitFault, log: string) {
  const names = calls.join(',')
  return attachTo(pid, thread, ['-e', `trace=${names}`, '-e', `inject=${names}:error=${fault}`], log)
}

async function attachTo(
  pid: number,
  thread: string,
  what: readonly string[],
  log: string,
): Promise<Attached | undefined> {
  const ids = [...threadsOf(pid)].flatMap(([id, name]) => (name === thread ? ['-p', String(id)] : []))
  return ids.length === 0 ? undefined : await attach(['-y', '-s', '64', ...ids, ...what], log)
}

/** Names of threads, by their numbers. */
export function threadsOf(pid: number): Map<number, string> {
  const directory = `/proc/${pid}/task`
  return new Map(readdirSync(directory).map(id => [Number(id), readFileSync(`${directory}/${id}/comm`, 'utf8').trim()]))
}

/** Where descriptors lead now. */
export function descriptorsOf(pid: number): Map<number, string> {
  const directory = `/proc/${pid}/fd`
  return new Map(
    readdirSync(directory).flatMap(name => {
      try {
        return [[Number(name), readlinkSync(`${directory}/${name}`)] as const]
      } catch {
        return []
      }
    }),
  )
}

async function attach(args: readonly string[], log: string): Promise<Attached> {
  const child = spawn('strace', ['-o', log, ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = new Promise<void>(resolve => child.once('close', () => resolve()))
  await whenAttached(child)
  return {
    calls: () => callsIn(readFileSync(log, 'utf8')),
    hits: () => hitsIn(readFileSync(log, 'utf8')),
    async [Symbol.asyncDispose]() {
      child.kill('SIGINT')
      // A signal to the server before strace has let go of it would be lost.
      await ended
    },
  }
}

/** Where there is but one thread, strace does not say which it is. */
function callsIn(log: string): Call[] {
  return parseCalls(log.replaceAll(/^(?!\d+ )(?=.)/gm, '1 '))
}

function hitsIn(log: string): Call[] {
  const calls = callsIn(log)
  if (log.includes('+++ killed by SIGKILL +++')) return calls.filter(({ result }) => result.startsWith('?')).slice(-1)
  return calls.filter(({ result }) => result.includes('(INJECTED)'))
}

async function whenAttached(child: ChildProcess): Promise<void> {
  let text = ''
  await new Promise<void>((resolve, reject) => {
    child.stderr?.on('data', (bytes: Buffer) => {
      text += bytes.toString()
      if (/ attached/.test(text)) resolve()
    })
    child.once('error', reject)
    child.once('close', () => reject(new Error(`strace could not attach: ${text}`)))
  })
}
