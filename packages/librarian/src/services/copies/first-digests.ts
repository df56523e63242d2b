/**
 * Files that came without a SHA-256 get theirs from the first reading that matched what their sender said (reliability A7).
 *
 *   tx 1     are they still without one? Numbers for lines of their copies
 *   trail    a line on each store that has a copy, so that a rebuild knows the digest, and SHA256SUMS has it
 *   tx 2     the rows, of what at least one trail has
 *
 * Interrupted, it is done again by the next reading, with lines that say the same once more.
 */
import type { Instant } from '@arriero/api'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { FirstDigest, UndigestedCopy, UndigestedFile } from '../../catalogue/operations/digests.ts'
import type { Log } from '../../log.ts'
import type { TrailRecord } from '../../stores/store.ts'
import type { Stores } from '../../stores/stores.ts'

/** Of files that were read in full and are what they must be. */
export type KeepFirstDigests = (read: readonly FirstDigest[]) => Promise<void>

export interface FirstDigestsOptions {
  readonly catalogue: Pick<Catalogue, 'digests'>
  readonly stores: Pick<Stores, 'byId'>
  readonly log: Log
}

interface Line {
  readonly storeId: number
  readonly record: TrailRecord
}

export function createFirstDigests({ catalogue, stores, log }: FirstDigestsOptions): KeepFirstDigests {
  /** Names that are in the store's trail now. */
  async function append(storeId: number, lines: readonly Line[]): Promise<string[]> {
    const site = stores.byId(storeId)
    if (!site) return []
    try {
      await site.store.appendTrail(lines.map(({ record }) => record))
      return lines.map(({ record }) => record.name)
    } catch (error) {
      log.warn({ err: error, store: site.name }, 'The trail could not be told of first digests')
      return []
    }
  }

  return async read => {
    if (read.length === 0) return
    const found = new Map(read.map(one => [one.name, one]))
    const { time, files } = await catalogue.digests.begin({ names: [...found.keys()] })
    const lines = files.flatMap(({ file, copies }) => {
      const digest = found.get(file.name)!
      return copies.map(copy => ({ storeId: copy.store_id, record: recordOf(file, copy, digest, time) }))
    })
    const told = new Set<string>()
    for (const [storeId, own] of Map.groupBy(lines, ({ storeId }) => storeId)) {
      for (const name of await append(storeId, own)) told.add(name)
    }
    if (told.size > 0) await catalogue.digests.finish({ files: [...told].map(name => found.get(name)!) })
  }
}

function recordOf(
  { first_uploader, is_attested, ...file }: UndigestedFile['file'],
  { order, deletion_policy }: UndigestedCopy,
  { sha256, manifest }: FirstDigest,
  time: Instant,
): TrailRecord {
  return {
    action: 'commit',
    order,
    time,
    ...file,
    sha256,
    is_attested: is_attested === 1,
    deletion_policy,
    ...(first_uploader === null ? {} : { first_uploader }),
    ...(manifest === undefined ? {} : { manifest }),
  }
}
