/** Many open dashboards, in a process of their own, whose time is not the server's. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Login } from './log-in.ts'
import { type OpenDashboard, openDashboard, type Page } from './open-dashboard.ts'

export interface Wanted {
  readonly url: string
  /** Each has as many as the others. */
  readonly logins: readonly Login[]
  readonly count: number
  readonly page: Page
}

export interface Dashboards extends AsyncDisposable {
  /** Calls of all since the last time that it was asked; that the server still answers all of them is made sure of. */
  calls(): Promise<number>
}

type Told = { readonly calls: number; readonly failure?: string }

/** Resolves when each of them is live and complete. */
export async function openDashboards(wanted: Wanted): Promise<Dashboards> {
  const child = fork(new URL(import.meta.url).pathname)
  const ended = once(child, 'exit')
  const ask = async (question: Wanted | 'calls'): Promise<number> => {
    const answer = once(child, 'message')
    child.send(question)
    const [{ calls, failure }] = (await Promise.race([answer, gone(child)])) as [Told]
    if (failure !== undefined) throw new Error(`an open dashboard was refused: ${failure}`)
    return calls
  }
  const end = async () => {
    if (child.connected) child.disconnect()
    await ended
  }
  try {
    await ask(wanted)
  } catch (error) {
    await end()
    throw error
  }
  return { calls: () => ask('calls'), [Symbol.asyncDispose]: end }
}

async function gone(child: ChildProcess): Promise<never> {
  const [code] = await once(child, 'exit')
  throw new Error(`the open dashboards ended with ${code}`)
}

/** In the process of their own. */
function haveOpen(tell: (told: Told) => void): void {
  let open: OpenDashboard[] = []
  let calls = 0
  const count = () => {
    const failure = open.map(each => each.failure()).find(error => error !== undefined)
    tell({ calls, ...(failure ? { failure: failure.message } : {}) })
    calls = 0
  }
  process.on('message', async (question: Wanted | 'calls') => {
    if (question === 'calls') return count()
    const { url, logins, count: many, page } = question
    open = Array.from({ length: many }, (_, n) => {
      const login = logins[n % logins.length]!
      return openDashboard({ url, login, page, onCall: () => calls++ })
    })
    while (!open.every(each => each.isComplete() || each.failure())) await sleep(50)
    count()
  })
  process.on('disconnect', () => {
    for (const each of open) each.close()
    process.exit()
  })
}

if (import.meta.main && process.send) haveOpen(told => process.send!(told))
