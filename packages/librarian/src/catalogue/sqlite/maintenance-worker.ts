/** A thread for one long read of the whole catalogue: a backup, or a check. */
import { workerData } from 'node:worker_threads'
import { backUp } from './backup.ts'
import { fullCheck } from './check.ts'
import { openConnection } from './connection.ts'
import { toWire } from './messages.ts'
import { tell } from './thread-port.ts'

export interface MaintenanceData {
  readonly path: string
  /** Where the copy shall be; absent: check. */
  readonly backup?: string
}

try {
  tell({ tell: 'replies', replies: [{ id: 0, value: work(workerData) }] })
} catch (error) {
  tell({ tell: 'refused', error: toWire(error) })
}

function work({ path, backup }: MaintenanceData): readonly string[] {
  const connection = openConnection(path, { isReadOnly: true })
  try {
    if (backup === undefined) return fullCheck(connection)
    backUp(connection, backup)
    return []
  } finally {
    connection.close()
  }
}
