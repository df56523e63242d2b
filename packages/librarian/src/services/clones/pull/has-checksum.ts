import { parseChecksum } from '@arriero/api'
import { createPathHasher, loadPathFunctions } from '@arriero/transfer'

/** Whether small bytes are those of a checksum of the wire. */
export async function hasChecksum(bytes: Uint8Array, checksum: string): Promise<boolean> {
  const { function: name, hex } = parseChecksum(checksum)
  await loadPathFunctions([name])
  const hasher = createPathHasher([name])
  hasher.update(bytes)
  return hasher.digests()[name] === hex
}
