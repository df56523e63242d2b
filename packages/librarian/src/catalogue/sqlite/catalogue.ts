import { LibrarianError } from '@arriero/api'
import { type Log, silentLog } from '../../log.ts'
import { bindOperations, type Registry } from '../bind.ts'
import type { Catalogue } from '../catalogue.ts'
import { operations as allOperations } from '../operations/index.ts'
import { type FileChecks, prepareFile } from './file.ts'
import type { ThreadData } from './messages.ts'
import { ReadThreads } from './read-threads.ts'
import { refuseHalfRestored } from './restore.ts'
import { damaged, wasLeftOpen } from './start.ts'
import { Thread } from './thread.ts'

export interface SqliteCatalogueOptions extends FileChecks {
  readonly path: string
  readonly log?: Log | undefined
  /** Threads that read; 0: the one that writes does it as well. Default 1. */
  readonly readers?: number | undefined
  /** How long a write waits for another process's lock. Default 5,000. */
  readonly busyTimeoutMs?: number | undefined
  /** Operations that may wait to be written before new ones are refused as `Busy`. Default 20,000. */
  readonly maxWaiting?: number | undefined
  /** The operations, and the URL of the module that exports them as `operations`: threads load it themselves. */
  readonly operations?: { readonly registry: Registry; readonly url: string } | undefined
}

/**
 * A catalogue in one file of this machine's disk. Nothing of it runs in the main thread, so a slow disk delays answers, never the
 * event loop. A thread that dies takes the catalogue with it: what it was doing is unknown, and a restart would hide that.
 */
export async function openSqliteCatalogue(options: SqliteCatalogueOptions): Promise<Catalogue> {
  const { path, log = silentLog, readers = 1, maxWaiting = 20_000 } = options
  const { registry, url } = options.operations ?? ownOperations()
  refuseHalfRestored(path)
  prepareFile(path, options)
  const isLeftOpen = wasLeftOpen(path)
  const data: ThreadData = { path, operations: url, busyTimeoutMs: options.busyTimeoutMs ?? 5000 }

  let failure: LibrarianError | undefined
  let isClosed = false
  let isOpen = false
  const fail = (met: LibrarianError) => {
    if (failure || isClosed) return
    failure = met
    // Whoever opens it is told by the rejection.
    if (!isOpen) return
    log.error({ reason: met.message, cause: met.cause }, 'catalogue can no longer be used; restart the server')
  }

  const writer = new Thread({ kind: 'writer-worker', data, log, lost: writerLost, onFailure: fail })
  let reads: ReadThreads | undefined
  const maintenance = new Set<Thread>()
  const endAll = async () => {
    await Promise.all([reads?.close(), ...[...maintenance].map(thread => thread.kill())])
    // Last: the one that closes last moves the log into the database.
    await writer.close()
  }
  try {
    await writer.ready
    if (readers > 0) {
      reads = new ReadThreads(readers, { kind: 'reader-worker', data, log, lost: readerLost, onFailure: fail })
      await reads.ready
    }
    if (failure) throw failure
    isOpen = true
  } catch (error) {
    isClosed = true
    await endAll()
    throw error
  }

  const maintain = async (backup?: string) => {
    const thread = new Thread({
      kind: 'maintenance-worker',
      data: { path, backup },
      log,
      lost: readerLost,
      onFailure: () => {},
    })
    maintenance.add(thread)
    try {
      return (await thread.result()) as readonly string[]
    } finally {
      maintenance.delete(thread)
    }
  }
  const check = async () => {
    const problems = await maintain()
    if (problems.length > 0) fail(damaged(path, problems))
    return problems
  }
  if (isLeftOpen) void checkBehind(check, log)

  let closing: Promise<void> | undefined
  const close = () => {
    isClosed = true
    closing ??= endAll()
    return closing
  }
  let lastBackup: Promise<unknown> = Promise.resolve()
  return {
    ...bindOperations(registry, async (operation, args, area, name) => {
      if (isClosed) throw new LibrarianError('Internal', 'The catalogue is closed')
      if (failure) throw failure
      if (operation.access === 'read' && reads) return await reads.call(area, name, args)
      if (writer.load >= maxWaiting) throw tooMany(maxWaiting)
      return await writer.call(area, name, args)
    }),
    engine: 'sqlite',
    capabilities: { canBackUp: true },
    get failure() {
      return failure
    },
    check,
    async backup(target) {
      const turn = lastBackup.then(() => maintain(target))
      lastBackup = turn.catch(() => {})
      await turn
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

function ownOperations() {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  return { registry: allOperations, url: new URL(`../operations/index.${extension}`, import.meta.url).href }
}

/** After an unclean stop everything is read once, while work goes on (reliability 8.4). */
async function checkBehind(check: () => Promise<readonly string[]>, log: Log): Promise<void> {
  log.warn({}, 'catalogue was not closed last time; checking all of it in the background')
  try {
    if ((await check()).length === 0) log.info({}, 'catalogue is sound')
  } catch (error) {
    log.warn({ error: String(error) }, 'catalogue was not checked to the end')
  }
}

function tooMany(limit: number): LibrarianError {
  return new LibrarianError('Busy', `${limit} changes wait for the catalogue already`, { retryAfterSeconds: 5 })
}

function writerLost(why: string): LibrarianError {
  return new LibrarianError('OutcomeUnknown', `The catalogue has stopped: ${why}; changes under way may have happened`)
}

function readerLost(why: string): LibrarianError {
  return new LibrarianError('Internal', `The catalogue has stopped: ${why}`)
}
