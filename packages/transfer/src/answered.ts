/** What the first answer is held to: what the caller, a manifest and the data commons say of the resource. */
import { isCodedName } from './coded-name.ts'
import { TransferError } from './errors.ts'
import type { StatedChecksum } from './integrity/choose-expectations.ts'
import { CONTRADICTION, contradictionOf, contradictionText } from './integrity/contradiction.ts'
import { fileNameFor } from './names/file-name.ts'
import type { Range, Resource } from './resource.ts'
import { statedChecksums, type Task } from './task.ts'

export interface Reconciled {
  /** The digests of the manifest that hold. */
  readonly listed: readonly StatedChecksum[]
  /** Why others were dropped. */
  readonly contradiction: string | undefined
}

/** Digests that the commons contradicts end the transfer, or are dropped where the commons is trusted. */
export function reconcile(task: Task, { catalogued }: Resource): Reconciled {
  const { listed, size, range } = task
  const contradiction = catalogued && !range ? contradictionOf({ size, checksums: listed }, catalogued) : undefined
  if (!catalogued || !contradiction) return { listed, contradiction: undefined }
  const text = contradictionText(contradiction)
  if (!task.options.trustCommons) {
    throw new TransferError(
      contradiction.what === 'size' ? 'SizeMismatch' : 'ChecksumMismatch',
      `Cannot fetch ${task.shownUri}: manifest and commons contradict each other, ${text}`,
      {
        url: task.shownUri,
        reason: CONTRADICTION,
        algorithm: contradiction.what === 'size' ? undefined : contradiction.what,
        expected: contradiction.listed,
        actual: contradiction.catalogued,
        remedy: 'Ask whoever made the manifest, or say --trust-commons.',
      },
    )
  }
  const holds = ({ algorithm, value }: StatedChecksum) =>
    catalogued.checksums.every(other => other.algorithm !== algorithm || other.value === value)
  return { listed: listed.filter(holds), contradiction: text }
}

/** @throws TransferError SizeMismatch */
export function holdSize(task: Task, { size, isDecoded }: Resource, isContradicted: boolean): void {
  if (task.size === undefined || size === undefined || isDecoded || size === task.size || task.range) return
  if (task.options.trustServerSize || (task.options.trustCommons && isContradicted)) return
  const message = `Cannot fetch ${task.shownUri}: it should have ${task.size} bytes, the server has ${size}`
  throw new TransferError('SizeMismatch', message, {
    expected: String(task.size),
    actual: String(size),
    url: task.shownUri,
  })
}

/** @throws TransferError AmbiguousEncoding: no checksum can tell how the content is stored */
export function holdReading(task: Task, answered: Resource): void {
  const { stated, listed, shownUri } = task
  if (!isReadingAmbiguous(task, answered) || statedChecksums({ stated, listed }).length > 0) return
  const coding = answered.contentEncoding
  const message = `Cannot tell whether ${shownUri} is stored as ${coding} or only sent that way: a checksum or keepEncoding must say`
  throw new TransferError('AmbiguousEncoding', message, { url: shownUri })
}

/** Decoded, although its name says that it is stored in that very coding. */
export function isReadingAmbiguous(task: Task, resource: Resource | undefined): boolean {
  if (!resource?.isDecoded || resource.contentEncoding === undefined) return false
  const name = fileNameFor({ url: task.uri, suggested: resource.name })
  return isCodedName(name, resource.contentEncoding)
}

/** What the sink gets to see: the wanted range as if it were the whole. */
export function wantedOf(resource: Resource, range: Range | undefined): Resource {
  if (!range) return resource
  const size = resource.size === undefined ? undefined : Math.max(0, Math.min(range.end, resource.size) - range.start)
  return { ...resource, size, checksums: [] }
}
