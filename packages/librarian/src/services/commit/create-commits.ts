import { LibrarianError } from '@arriero/api'
import type { SiteStore } from '../../stores/stores.ts'
import type { CommitRequest, Commits, Committed } from './commits.ts'
import { type CommitItem, newItem } from './item.ts'
import { createLane, type Lane } from './lane.ts'
import { type BatchOptions, runBatch } from './run-batch.ts'

export interface CommitsOptions extends Omit<BatchOptions, 'settled'> {
  readonly limits?: Partial<CommitLimits>
}

export interface CommitLimits {
  /** Up to this size items share batches; larger ones go alone, beside them. Default 4 MiB. */
  readonly smallSize: number
  /** Items of a batch. Default 2048. */
  readonly batchCount: number
  /** Bytes of a batch. Default 64 MiB. */
  readonly batchBytes: number
  /** Batches of small items at once, per store. Default 2: one is written while the other is registered. */
  readonly smallBatches: number
  /** Large items at once, per store. Default 4. */
  readonly largeItems: number
}

const defaultLimits: CommitLimits = {
  smallSize: 4 << 20,
  batchCount: 2048,
  batchBytes: 64 << 20,
  smallBatches: 2,
  largeItems: 4,
}

export function createCommits({ limits: given, ...options }: CommitsOptions): Commits {
  const limits = { ...defaultLimits, ...given }
  const lanes = new Map<string, Lane<CommitItem>>()
  const working = new Set<string>()
  const byTransfer = new Map<number, Promise<Committed>>()
  const batchOptions: BatchOptions = { ...options, settled: createSettled() }
  let isClosed = false

  function laneOf(store: SiteStore, size: number): Lane<CommitItem> {
    const isSmall = size <= limits.smallSize
    const key = `${store.id}/${isSmall ? 'small' : 'large'}`
    const known = lanes.get(key)
    if (known) return known
    const lane = createLane<CommitItem>({
      concurrency: isSmall ? limits.smallBatches : limits.largeItems,
      maxCount: isSmall ? limits.batchCount : 1,
      maxBytes: limits.batchBytes,
      sizeOf: item => item.request.size,
      async run(batch) {
        for (const { id } of batch) working.add(id)
        await runBatch(store, batch, batchOptions)
        for (const { id } of batch) working.delete(id)
      },
    })
    lanes.set(key, lane)
    return lane
  }

  function begin(request: CommitRequest): Promise<Committed> {
    return new Promise((resolve, reject) => {
      laneOf(request.store, request.size).add(newItem(request, resolve, reject))
    })
  }

  /** Once for all who ask for the same transfer. */
  async function beginHeld(request: CommitRequest): Promise<Committed> {
    await using _ = await request.hold?.()
    return await begin(request)
  }

  function commit(request: CommitRequest): Promise<Committed> {
    if (isClosed) return Promise.reject(new LibrarianError('Busy', `Cannot commit ${request.name}: the server stops`))
    const { transferId } = request
    if (transferId === undefined) return begin(request)
    const running = byTransfer.get(transferId)
    if (running) return running
    const result = beginHeld(request).finally(() => byTransfer.delete(transferId))
    byTransfer.set(transferId, result)
    return result
  }

  async function close(): Promise<void> {
    isClosed = true
    await Promise.all([...lanes.values()].map(lane => lane.drained()))
  }

  return { commit, isWorkingOn: id => working.has(id), close, [Symbol.asyncDispose]: close }
}

/** Works whose private copies are gone: the next batch tells the catalogue, which then needs not know them. */
function createSettled(): BatchOptions['settled'] {
  let ids: string[] = []
  return {
    take() {
      const taken = ids
      ids = []
      return taken
    },
    add(more) {
      ids.push(...more)
    },
  }
}
