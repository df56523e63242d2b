/**
 * Reads copies that nobody has read yet: after a rebuild, a restore, or where a librarian was told of them. Until then they are
 * not served but to who waits for the reading (reliability C2).
 */
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { Log } from '../../log.ts'
import type { CopyReader } from './read-copies.ts'

export interface FirstReadingsOptions {
  readonly catalogue: Pick<Catalogue, 'readings' | 'leases'>
  readonly reader: Pick<CopyReader, 'read'>
  /** This process. */
  readonly holder: string
  readonly log: Log
}

export interface FirstReadingsReport {
  readonly read: number
  /** Of these: not as they must be. */
  readonly bad: number
}

/** Who else works for this librarian need not read the same; where both do, nothing is lost but time. */
const lease = { resource: 'task:first-readings', seconds: 600 }
const PAGE = 200

/** One copy at a time, so that those who wait for one find room. Resolves when there is none left that can be read now. */
export async function readUnchecked(
  { catalogue, reader, holder, log }: FirstReadingsOptions,
  signal: AbortSignal,
): Promise<FirstReadingsReport> {
  const report = { read: 0, bad: 0 }
  let after = 0
  let token = await catalogue.leases.acquire({ ...lease, holder })
  while (token !== undefined && !signal.aborted) {
    const page = await catalogue.readings.unchecked({ after, limit: PAGE })
    for (const { file, instance } of page) {
      if (signal.aborted) break
      after = instance.id
      const { state } = await reader.read(file, instance)
      report.read += 1
      if (state !== 'ok') report.bad += 1
    }
    if (page.length < PAGE) break
    token = (await catalogue.leases.renew({ ...lease, holder, token })) ? token : undefined
  }
  if (token !== undefined) await catalogue.leases.release({ resource: lease.resource, holder, token })
  if (report.read > 0) log.info(report, 'copies that nobody had read yet were read')
  return report
}
