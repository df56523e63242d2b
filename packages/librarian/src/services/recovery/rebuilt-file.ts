/** What a line of the trail, or a reading, makes a row of. */
import type { RebuiltCopy, RebuiltFile, RebuiltOutcome } from '../../catalogue/operations/rebuilding.ts'
import type { TrailRecord } from '../../stores/store.ts'
import type { SiteStore } from '../../stores/stores.ts'
import { isKept } from './last-lines.ts'

/** Its bytes are looked for, not read. */
export async function fileOfRecord(site: SiteStore, record: TrailRecord): Promise<RebuiltFile> {
  return rebuiltFile(record, isKept(record) ? await findCopy(site, record) : undefined)
}

async function findCopy(site: SiteStore, { name, kind, size, deletion_policy }: TrailRecord): Promise<RebuiltCopy> {
  const stat = await site.store.stat(name)
  const isRight = stat?.kind === kind && (kind === 'tree' || stat.size === size)
  return {
    storeId: site.id,
    path: site.store.pathOf(name),
    available: isRight,
    state: isRight ? 'never-checked' : stat ? 'mismatch' : 'missing',
    deletionPolicy: deletion_policy,
  }
}

/** @param record of a copy that was just read in full */
export function fileOfReading(site: SiteStore, record: TrailRecord): RebuiltFile {
  return rebuiltFile(record, {
    storeId: site.id,
    path: site.store.pathOf(record.name),
    available: true,
    state: 'ok',
    deletionPolicy: record.deletion_policy,
  })
}

function rebuiltFile(record: TrailRecord, copy: RebuiltCopy | undefined): RebuiltFile {
  const { name, kind, size, checksum, sha256, uploader, source, manifest } = record
  return {
    name,
    kind,
    size,
    checksum,
    sha256,
    isAttested: record.is_attested,
    createTime: record.create_time,
    uploader,
    source,
    firstUploader: record.first_uploader ?? null,
    manifest,
    copy,
  }
}

/** Why it has no row, or none that is available; undefined: nothing is wrong. */
export function problemOf(
  { name: store }: SiteStore,
  { name, copy }: RebuiltFile,
  outcome: RebuiltOutcome,
): string | undefined {
  if (outcome.outcome === 'other') return `${store}: ${name} has other content than the catalogue knows under this name`
  if (outcome.outcome === 'nested')
    return `${store}: ${name} cannot be beside ${outcome.obstacle}: one lies in the other`
  if (outcome.outcome === 'coming') return `${store}: ${name} waits: ${outcome.obstacle} is being committed`
  if (!copy || copy.available || outcome.outcome === 'known') return undefined
  return `${store}: ${name} is in the trail, and its bytes are ${copy.state}`
}
