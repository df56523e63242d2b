/** The thread that writes: one connection, operations in groups, each group one durable commit. */
import { statSync } from 'node:fs'
import { workerData } from 'node:worker_threads'
import { LibrarianError } from '@arriero/api/errors'
import type BetterSqlite3 from 'better-sqlite3'
import { operationOf, type Registry } from '../bind.ts'
import { openConnection } from './connection.ts'
import { isCondemning } from './failures.ts'
import { type Group, GroupCommit, type Pending } from './group-commit.ts'
import { type Call, type ThreadData, toWire } from './messages.ts'
import { takeOwnership } from './owner.ts'
import { damaged, startSqlite } from './start.ts'
import { closePort, onAsk, portLog, tell, tellReplies } from './thread-port.ts'

/** Quiet for so long, the log is moved into the database. */
const idleMs = 250

interface Waiting extends Pending {
  readonly id: number
}

try {
  await open(workerData)
} catch (error) {
  tell({ tell: 'refused', error: toWire(isCondemning(error) ? damaged(workerData.path, [String(error)]) : error) })
}

async function open({ path, operations, busyTimeoutMs }: ThreadData): Promise<void> {
  const ownership = takeOwnership(path)
  const connection = openConnection(path, { busyTimeoutMs })
  try {
    await startSqlite({ path, connection, log: portLog })
    const { operations: registry } = (await import(operations)) as { operations: Registry }
    write(path, connection, registry, () => ownership.release())
    tell({ tell: 'ready' })
  } catch (error) {
    connection.close()
    ownership.release()
    throw error
  }
}

function write(path: string, connection: BetterSqlite3.Database, registry: Registry, release: () => void): void {
  const group = new GroupCommit(connection)
  const inode = statSync(path).ino
  const waiting: Waiting[] = []
  let isRunning = false
  let isCondemned = false
  let isClosing = false
  let idle: NodeJS.Timeout | undefined

  onAsk(ask => {
    if (ask.ask === 'close') isClosing = true
    else for (const call of ask.calls) accept(call)
    if (!isRunning && !isCondemned) void drain()
  })

  function accept({ id, area, name, args }: Call): void {
    waiting.push({ id, operation: operationOf(registry, area, name), args })
  }

  async function drain(): Promise<void> {
    isRunning = true
    clearTimeout(idle)
    while (waiting.length > 0 && !isCondemned) {
      answer(await group.run(() => waiting.shift()))
      // What was asked meanwhile arrives only when the event loop turns; then it joins the next group.
      await new Promise(resolve => setImmediate(resolve))
    }
    isRunning = false
    if (isClosing) end()
    else if (!isCondemned) idle = setTimeout(checkpoint, idleMs)
  }

  function answer(done: Group<Waiting>): void {
    if (!done.didCommit) refuse(done)
    else if (isInPlace()) acknowledge(done)
    else condemn(lost(path))
  }

  function acknowledge({ members, outcomes }: Group<Waiting> & { didCommit: true }): void {
    tellReplies(
      outcomes.map((outcome, at) => {
        const { id } = members[at]!
        return 'error' in outcome ? { id, error: toWire(outcome.error) } : { id, value: outcome.value }
      }),
    )
    const errors = outcomes.flatMap(outcome => ('error' in outcome ? [outcome.error] : []))
    const broken = errors.find(isCondemning)
    if (broken) condemn(broken)
  }

  function refuse({ members, failure, wasAtCommit }: Group<Waiting> & { didCommit: false }): void {
    if (isCondemning(failure)) return condemn(wasAtCommit ? unsure(failure) : failure)
    // Where no group could begin, whoever waits has waited as long as the one that tried.
    const failed = members.length > 0 ? members : waiting.splice(0)
    const error = toWire(failure)
    tellReplies(failed.map(({ id }) => ({ id, error })))
  }

  /** All that were not answered yet hear the reason from their own side. */
  function condemn(reason: unknown): void {
    isCondemned = true
    tell({ tell: 'condemned', error: toWire(reason) })
  }

  /** Acknowledged means durable: what went into a file that nobody finds any more was not kept. */
  function isInPlace(): boolean {
    return statSync(path, { throwIfNoEntry: false })?.ino === inode
  }

  function checkpoint(): void {
    try {
      connection.pragma('wal_checkpoint(PASSIVE)')
      connection.pragma('optimize')
    } catch (error) {
      if (isCondemning(error)) condemn(error)
      else portLog.warn({ error: String(error) }, 'catalogue’s log could not be moved into the database; tried again')
    }
  }

  function end(): void {
    clearTimeout(idle)
    connection.close()
    release()
    closePort()
  }
}

function lost(path: string): LibrarianError {
  return new LibrarianError('OutcomeUnknown', `The catalogue ${path} was moved or removed while it was open`)
}

function unsure(cause: unknown): LibrarianError {
  return new LibrarianError('OutcomeUnknown', 'The catalogue’s disk failed during a commit: it may have happened', {
    cause,
  })
}
