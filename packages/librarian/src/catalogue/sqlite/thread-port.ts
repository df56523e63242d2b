import { parentPort } from 'node:worker_threads'
import type { Log } from '../../log.ts'
import type { Ask, Reply, Tell } from './messages.ts'
import { toWire } from './messages.ts'

const port = parentPort!

export function tell(message: Tell): void {
  port.postMessage(message)
}

export function onAsk(handle: (ask: Ask) => void): void {
  port.on('message', handle)
}

/** After this nothing arrives any more, so the thread ends by itself. */
export function closePort(): void {
  port.close()
}

/** Replies of one group in one message. A result that cannot be cloned spoils only its own reply. */
export function tellReplies(replies: readonly Reply[]): void {
  try {
    tell({ tell: 'replies', replies })
  } catch {
    for (const reply of replies) {
      try {
        tell({ tell: 'replies', replies: [reply] })
      } catch (error) {
        tell({ tell: 'replies', replies: [{ id: reply.id, error: toWire(error) }] })
      }
    }
  }
}

export const portLog: Log = {
  debug: (fields, message) => tell({ tell: 'log', level: 'debug', fields, message }),
  info: (fields, message) => tell({ tell: 'log', level: 'info', fields, message }),
  warn: (fields, message) => tell({ tell: 'log', level: 'warn', fields, message }),
  error: (fields, message) => tell({ tell: 'log', level: 'error', fields, message }),
}
