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
import { runRead } from './snapshot.ts'
import { closePort, onAsk, tell, tellReplies } from './thread-port.ts'

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
  let last = Promise.resolve()

  onAsk(ask => {
    last = last.then(ask.ask === 'close' ? end : () => answer(ask.calls))
  })

  async function answer(calls: readonly Call[]): Promise<void> {
    for (const call of calls) tellReplies([await replyTo(call)])
  }

  async function replyTo({ id, area, name, args }: Call): Promise<Reply> {
    const outcome = await runRead(connection, database, { operation: operationOf(registry, area, name), args })
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
