/** The catalogue's twin for tests: SQLite in memory, in this thread; the same operations and the same rules. */
import { LibrarianError } from '@arriero/api'
import BetterSqlite3 from 'better-sqlite3'
import { bindOperations, type Registry } from './bind.ts'
import type { Catalogue } from './catalogue.ts'
import { migrate } from './migrate.ts'
import { operations } from './operations/index.ts'
import { toLibrarianError } from './sqlite/failures.ts'
import { GroupCommit, type Outcome, type Pending } from './sqlite/group-commit.ts'
import { Snapshot } from './sqlite/snapshot.ts'

export interface MemoryCatalogueOptions {
  /** Default: those of the catalogue. */
  readonly registry?: Registry | undefined
  /** Given a hand that copies all of it as it is then. */
  readonly copier?: ((copy: () => Buffer) => void) | undefined
  /** What such a hand has given: goes on from there, as a catalogue that was restored from a backup. */
  readonly from?: Buffer | undefined
  /** The database's clock, ms since 1970. Default: the machine's. */
  readonly now?: (() => number) | undefined
}

export async function openMemoryCatalogue(options: MemoryCatalogueOptions = {}): Promise<Catalogue> {
  const { registry = operations, from, now, copier } = options
  const connection = new BetterSqlite3(from ?? ':memory:')
  if (now) connection.function('strftime', { varargs: true }, (_format, _now, move) => timeText(now(), move))
  connection.pragma('foreign_keys = ON')
  const group = new GroupCommit(connection, { maxOperations: 1 })
  const snapshot = new Snapshot(connection, group.database)
  let last: Promise<unknown> = Promise.resolve()
  let isClosed = false

  const write = async (pending: Pending): Promise<Outcome> => {
    const waiting = [pending]
    const done = await group.run(() => waiting.shift())
    return done.didCommit ? done.outcomes[0]! : { error: done.failure }
  }
  const read = async (pending: Pending): Promise<Outcome> => {
    connection.pragma('query_only = 1')
    const outcome = await snapshot.read(pending)
    snapshot.end()
    connection.pragma('query_only = 0')
    return outcome
  }
  const run = async (pending: Pending) => {
    const outcome = await (pending.operation.access === 'read' ? read(pending) : write(pending))
    if ('error' in outcome) throw toLibrarianError(outcome.error)
    // As from a thread: the caller's changes to it are not seen by anybody else.
    return structuredClone(outcome.value)
  }
  await run({ operation: { access: 'write', run: database => migrate(database) }, args: undefined })

  copier?.(() => connection.serialize())
  const close = async () => {
    isClosed = true
    await last
    connection.close()
  }
  return {
    ...bindOperations(registry, async (operation, args) => {
      if (isClosed) throw new LibrarianError('Internal', 'The catalogue is closed')
      const result = last.then(() => run({ operation, args: structuredClone(args) }))
      last = result.catch(() => undefined)
      return await result
    }),
    engine: 'sqlite',
    capabilities: { canBackUp: false },
    failure: undefined,
    async backup() {
      throw new LibrarianError('Configuration', 'Cannot back up the catalogue: it is only in memory')
    },
    check: async () => [],
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** As `dialect.ts` asks for it. */
function timeText(now: number, move: unknown): string {
  const seconds = typeof move === 'string' ? Number.parseFloat(move) : 0
  return `${new Date(now + seconds * 1000).toISOString().slice(0, -1)}000Z`
}
