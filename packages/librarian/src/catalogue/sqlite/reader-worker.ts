/** A thread that reads: each operation sees one snapshot, and waits for no writer. */
import { workerData } from 'node:worker_threads'
import type BetterSqlite3 from 'better-sqlite3'
import { operationOf, type Registry } from '../bind.ts'
import { sqliteDialect } from '../dialect.ts'
import type { Database } from '../operation.ts'
import { openConnection } from './connection.ts'
import { isCondemning } from './failures.ts'
import { kyselyOver } from './kysely.ts'
import { type Call, type Reply, type ThreadData, toWire } from './messages.ts'
import { Snapshot } from './snapshot.ts'
import { closePort, onAsk, tell, tellReplies } from './thread-port.ts'

/** Answers that are ready wait so long for their neighbours: a message costs more than a small read. */
const togetherMs = 1

try {
  await open(workerData)
} catch (error) {
  tell({ tell: 'refused', error: toWire(error) })
}

async function open({ path, operations, busyTimeoutMs }: ThreadData): Promise<void> {
  const connection = openConnection(path, { isReadOnly: true, busyTimeoutMs })
  try {
    const { operations: registry } = (await import(operations)) as { operations: Registry }
    read(connection, registry)
    tell({ tell: 'ready' })
  } catch (error) {
    connection.close()
    throw error
  }
}

function read(connection: BetterSqlite3.Database, registry: Registry): void {
  const database: Database = { sql: kyselyOver(connection), dialect: sqliteDialect }
  const snapshot = new Snapshot(connection, database)
  let last = Promise.resolve()

  onAsk(ask => {
    last = last.then(ask.ask === 'close' ? end : () => answer(ask.calls))
  })

  /** What was asked together was asked before any of it is read: one snapshot and few messages serve all. */
  async function answer(calls: readonly Call[]): Promise<void> {
    const replies: Reply[] = []
    let toldAt = performance.now()
    for (const call of calls) {
      replies.push(await replyTo(call))
      if (performance.now() - toldAt < togetherMs) continue
      tellReplies(replies.splice(0))
      toldAt = performance.now()
    }
    snapshot.end()
    if (replies.length > 0) tellReplies(replies)
  }

  async function replyTo({ id, area, name, args }: Call): Promise<Reply> {
    const outcome = await snapshot.read({ operation: operationOf(registry, area, name), args })
    if (!('error' in outcome)) return { id, value: outcome.value }
    const error = toWire(outcome.error)
    if (isCondemning(outcome.error)) tell({ tell: 'condemned', error })
    return { id, error }
  }

  function end(): void {
    connection.close()
    closePort()
  }
}
