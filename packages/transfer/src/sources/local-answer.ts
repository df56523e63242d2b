/** What sources share whose whole content is at hand: bounds and versions, decided before a byte is poured. */
import { TransferError } from '../errors.ts'
import type { Range, Resource } from '../resource.ts'
import type { FetchRequest } from '../source.ts'

/** The bytes to pour for a request, clamped to what there is. Throws what the contract demands. */
export function boundsOf(request: FetchRequest, resource: Resource, size: number, uri: string): Range {
  const { range, expected } = request
  if (expected) checkVersion(expected, resource, uri)
  if (!range) return { start: 0, end: size }
  const { start, end } = range
  if (start > size) throw changed(uri, `it has no byte ${start} any more`)
  return { start, end: Math.min(end, size) }
}

/** Refuses what is no range, before anything is asked for. */
export function checkRange(range: Range | undefined, uri: string): void {
  if (!range) return
  const { start, end } = range
  if (Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && start < end) return
  throw new TransferError('Usage', `Cannot fetch bytes ${start} to ${end} of ${uri}: not a range`, { url: uri })
}

export function changed(uri: string, what: string): TransferError {
  return new TransferError('ResourceChanged', `Cannot go on with ${uri}: ${what}`, { url: uri })
}

function checkVersion(expected: Resource, now: Resource, uri: string): void {
  if (expected.size !== undefined && now.size !== undefined && expected.size !== now.size) {
    throw changed(uri, `its size was ${expected.size} and is ${now.size} now`)
  }
  if (expected.version !== undefined && expected.version !== now.version)
    throw changed(uri, 'it is another version now')
}
