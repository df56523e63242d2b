/** The files that the interop server has, and their digests. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { startProcess } from '../program.ts'

export const MiB = 1024 * 1024

/** Beyond 2^32, where a 32-bit offset would wrap. */
export const sparseSize = 2 ** 32 + 64 * MiB + 7
/** Where the sparse file is not zero: its ends and both sides of the 32-bit borders. */
export const sparseMarks = [0, 2 ** 31 - 4, 2 ** 32 - 8, 2 ** 32, sparseSize - 8]

export const manyFiles = 1000
export const manyName = (index: number) => `many/${String(index).padStart(4, '0')}.bin`

/** The names come first in each: what the server says, and what may become of it on disk. */
export const dispositions = [
  { path: 'parents', header: 'attachment; filename="../../escaped.bin"', name: 'escaped.bin' },
  { path: 'absolute', header: 'attachment; filename="/etc/escaped.bin"', name: 'escaped.bin' },
  { path: 'drive', header: 'attachment; filename="C:\\\\escaped.bin"', name: 'escaped.bin' },
  { path: 'dots', header: 'attachment; filename=".."', name: undefined },
  { path: 'reserved', header: 'attachment; filename="con"', name: undefined },
  { path: 'long', header: `attachment; filename="${'x'.repeat(300)}.bin"`, name: `${'x'.repeat(251)}.bin` },
  { path: 'utf-8', header: "attachment; filename=plain.bin; filename*=UTF-8''%C3%B1and%C3%BA.bin", name: 'ñandú.bin' },
] as const

/** nginx locations that answer `/disposition/NAME` with the small file and the header. */
export const dispositionLocations = dispositions
  .map(({ path, header }) => {
    const value = header.replaceAll('\\', '\\\\').replaceAll("'", "\\'")
    return `location = /disposition/${path} {
      add_header Content-Disposition '${value}';
      try_files /small.bin =404;
    }`
  })
  .join('\n')

export async function makeServedFiles(root: string): Promise<void> {
  await writeFile(join(root, 'small.bin'), pattern(100_000, 1))
  await writeFile(join(root, 'medium.bin'), pattern(48 * MiB + 11, 2))
  await writeFile(join(root, 'large.bin'), pattern(256 * MiB + 4321, 3))
  await writeFile(join(root, 'words.txt'), 'the same words again and again\n'.repeat(200_000))
  await makeSparse(join(root, 'sparse.bin'))
  await mkdir(join(root, 'many'))
  for (let index = 0; index < manyFiles; index++) {
    await writeFile(join(root, manyName(index)), pattern(1 + index * 37, index))
  }
  const { code, stderr } = await startProcess('tar', ['-cf', 'many.tar', 'many'], { cwd: root }).outcome
  if (code !== 0) throw new Error(`Cannot make the archive: ${stderr}`)
}

/** Bytes that differ at every place where two parts could be swapped, without the cost of real randomness. */
export function pattern(size: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(size)
  let state = seed * 2654435761 + 1
  for (let index = 0; index < size; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    bytes[index] = state >>> 24
  }
  return bytes
}

async function makeSparse(file: string): Promise<void> {
  await using handle = await open(file, 'w')
  await handle.truncate(sparseSize)
  for (const mark of sparseMarks) await handle.write(markBytes(mark), 0, 8, mark)
}

/** The eight bytes that stand at a mark: its own offset, so that a misplaced part cannot look right. */
export function markBytes(mark: number): Buffer {
  const bytes = Buffer.alloc(8, 0xff)
  bytes.writeUIntBE(mark + 1, 1, 6)
  return bytes
}

export async function digest(algorithm: string, file: string): Promise<string> {
  const hash = createHash(algorithm)
  await pipeline(createReadStream(file, { highWaterMark: 4 * MiB }), hash)
  return hash.digest('hex')
}
