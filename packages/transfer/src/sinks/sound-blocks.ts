import { crc32cOf } from '../integrity/hasher.ts'
import type { Block } from '../journal.ts'
import type { PartFile } from './part-file.ts'

const READ = 8 << 20
const SAMPLES = 18

/** Those recorded blocks whose bytes on disk still give the recorded CRC. Later records of the same bytes win. */
export async function soundBlocks(
  part: PartFile,
  recorded: readonly Block[],
  verify: 'all' | 'sample' | 'none',
): Promise<readonly Block[]> {
  const blocks = [...new Map(recorded.map(block => [block.offset, block])).values()].sort((a, b) => a.offset - b.offset)
  if (verify === 'none') return blocks
  const step = verify === 'all' ? 1 : Math.max(1, Math.floor(blocks.length / SAMPLES))
  const buffer = new Uint8Array(READ)
  const sound: Block[] = []
  let isTrusted = true
  for (const [index, block] of blocks.entries()) {
    const isChecked = index % step === 0 || index === blocks.length - 1
    const isSound = !isChecked || (await holds(part, block, buffer))
    if (isSound) sound.push(block)
    else if (verify === 'sample') isTrusted = false
  }
  // One bad sample says that the rest cannot be trusted either.
  return isTrusted ? sound : soundBlocks(part, recorded, 'all')
}

async function holds(part: PartFile, { offset, length, crc32c }: Block, buffer: Uint8Array): Promise<boolean> {
  const bytes = length <= buffer.length ? buffer.subarray(0, length) : new Uint8Array(length)
  try {
    await part.read(offset, bytes)
  } catch {
    return false
  }
  return crc32cOf(bytes) === crc32c
}
