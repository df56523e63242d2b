import { parentPort } from 'node:worker_threads'
import { createContext, refused } from './context.ts'
import { perform } from './perform.ts'
import { Stopped } from './read-file.ts'
import { systemError } from './system-error.ts'
import type { Answer, Request, TaskKind, Tasks } from './task.ts'

/** Replies come in the order of the requests. `stopped`: as it was asked to. */
export type Reply = Answer<Tasks[TaskKind]['answer']> | { readonly stopped: true }

const port = parentPort
if (!port) throw new Error('store-worker.ts runs as a worker thread only')

const base = createContext({} as never)
let last: Promise<void> = Promise.resolve()

port.on('message', (request: Request) => {
  last = last.then(async () => port.postMessage(await reply(request)))
})

async function reply({ kind, ask, place, stop }: Request): Promise<Reply> {
  try {
    const context = { ...base, ...place, isStopped: () => Atomics.load(stop, 0) !== 0 }
    return { ok: true, value: await perform(kind, ask as never, context) }
  } catch (error) {
    return error instanceof Stopped ? { stopped: true } : refused(systemError(error, kind, 'what was asked'))
  }
}
