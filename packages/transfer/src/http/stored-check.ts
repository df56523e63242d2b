/**
 * What is known of a body in the coding it is stored in, held to its bytes before they are decoded (retrieval 8.4, 13.2).
 */
import { TransferError } from '../errors.ts'
import type { OfferedChecksum } from '../integrity/checksum.ts'
import { chooseExpectations } from '../integrity/choose-expectations.ts'
import { createHasher, loadHashers, toHex } from '../integrity/hasher.ts'
import { type Headers, oneHeader } from '../integrity/headers.ts'
import type { Hasher } from '../integrity/running-digest.ts'
import type { Resource } from '../resource.ts'

/** Whether an answer's checksums are those of its coded bytes: a store says that it keeps them in this very coding. */
export function isStoredCoded(headers: Headers, coding: string): boolean {
  return oneHeader(headers, 'x-goog-stored-content-encoding')?.toLowerCase() === coding
}

/** The resource as its decoded bytes are: what speaks of the stored ones is kept apart. */
export function decodedResource(resource: Resource, isStored: boolean): Resource {
  if (!isStored) return { ...resource, isDecoded: true }
  return { ...resource, isDecoded: true, checksums: [], storedChecksums: strongest(resource.checksums) }
}

export interface StoredCheck {
  add(bytes: Uint8Array): void
  /** Every byte was added. Throws TransferError ChecksumMismatch, or Network for a body that is too short. */
  finish(): void
}

/** @param length bytes of the body, if its framing tells */
export async function createStoredCheck(
  checksums: readonly OfferedChecksum[],
  length: number | undefined,
  uri: string,
): Promise<StoredCheck> {
  await loadHashers(checksums.map(({ algorithm }) => algorithm))
  const hashers = checksums.map(checksum => [checksum, createHasher(checksum.algorithm as 'crc32c')] as const)
  let size = 0
  return {
    add(bytes) {
      size += bytes.length
      for (const [, hasher] of hashers) hasher.update(bytes)
    },
    finish() {
      if (length !== undefined && size !== length) {
        throw new TransferError('Network', `Cannot fetch ${uri}: ${length} bytes were announced, got ${size}`, {
          url: uri,
        })
      }
      for (const [checksum, hasher] of hashers) hold(checksum, hasher, uri)
    },
  }
}

function hold({ algorithm, value, origin }: OfferedChecksum, hasher: Hasher, uri: string): void {
  const actual = toHex(hasher.digest())
  if (actual === value) return
  throw new TransferError(
    'ChecksumMismatch',
    `Cannot accept the content of ${uri}: ${algorithm} of the stored bytes must be ${value} (${origin}), got ${actual}`,
    { url: uri, algorithm, expected: value, actual },
  )
}

/** As for any other content (retrieval 11.2): the strongest one is computed. */
function strongest(checksums: readonly OfferedChecksum[]): readonly OfferedChecksum[] {
  const chosen = chooseExpectations([], [], checksums, undefined)
  return checksums.filter(({ algorithm, value, origin }) =>
    chosen.some(one => one.algorithm === algorithm && one.value === value && one.origin === origin),
  )
}
