/** Messages to one librarian as calls: each its own, but for what one call can say of many transfers. */
import { createHash } from 'node:crypto'
import { type Connection, type Endpoint, endpoints, FLOWS, LibrarianError, MAX_BATCH } from '@arriero/api'
import type { Message } from '../../catalogue/operations/outbox.ts'

export interface Letter {
  readonly call: string
  readonly messages: readonly Message[]
  /** Resolves to why some of many were refused. */
  send(connection: Connection, signal: AbortSignal): Promise<readonly Refusal[]>
}

export interface Refusal {
  readonly reason: string
  readonly count: number
}

const table: ReadonlyMap<string, Endpoint> = new Map(
  Object.values(endpoints).flatMap(group => Object.values<Endpoint>(group).map(one => [one.path, one] as const)),
)

const one = endpoints.clone.complete.path
const many = endpoints.clone.completeMany.path

/** @param capabilities of the other librarian */
export function lettersOf(messages: readonly Message[], capabilities: ReadonlySet<string>): Letter[] {
  const canMany = capabilities.has(FLOWS)
  const together = canMany ? messages.filter(({ call }) => call === one) : []
  const letters = messages
    .filter(({ call }) => !canMany || call !== one)
    .map(message => (message.call === many ? ofMany(message) : single(message)))
  for (let at = 0; at < together.length; at += MAX_BATCH) letters.push(completeMany(together.slice(at, at + MAX_BATCH)))
  return letters
}

function single(message: Message): Letter {
  const { call, body, idempotency_key: idempotencyKey } = message
  return {
    call,
    messages: [message],
    async send(connection, signal) {
      const endpoint = table.get(call)
      // Written by a newer release: it waits for that one.
      if (!endpoint) throw new LibrarianError('Internal', `Cannot call ${call}: this release does not know it`)
      await connection.call(endpoint, JSON.parse(body), { idempotencyKey, signal })
      return []
    },
  }
}

/** Written as one. */
function ofMany(message: Message): Letter {
  const { call, body, idempotency_key: idempotencyKey } = message
  return {
    call,
    messages: [message],
    async send(connection, signal) {
      const { refused } = await connection.clone.completeMany(JSON.parse(body), { idempotencyKey, signal })
      return countedOf(refused)
    },
  }
}

interface Pair {
  readonly source_transfer_id: number
  readonly destination_transfer_id: number
  readonly store_id: number
}

function completeMany(messages: readonly Message[]): Letter {
  const transfers = messages.map(({ body }) => JSON.parse(body) as Pair)
  const keys = createHash('sha256')
  for (const { idempotency_key } of messages) keys.update(`${idempotency_key}\n`)
  return {
    call: endpoints.clone.completeMany.path,
    messages,
    async send(connection, signal) {
      const idempotencyKey = keys.copy().digest('hex')
      const { refused } = await connection.clone.completeMany({ transfers }, { idempotencyKey, signal })
      return countedOf(refused)
    },
  }
}

function countedOf(refused: readonly { readonly reason: string }[]): Refusal[] {
  return Array.from(
    Map.groupBy(refused, ({ reason }) => reason),
    ([reason, group]) => ({ reason, count: group.length }),
  )
}
