/** What the servers serve, made when a case first asks for it. */
import { createCipheriv, createHash } from 'node:crypto'
import { mkdir, open, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createCRC32 } from 'hash-wasm'

export interface BigFile {
  path: string
  name: string
  bytes: number
  md5: string
  sha256: string
  crc32c: string
}

export const smallFileBytes = 10 * 1024
/** The content of every row of the long list; the server answers any path below `/rows/` with it. */
const rowFile = 'row.bin'
export const rowBytes = 64
export const rowLocation = `location /rows/ { try_files /${rowFile} =404; }`

/** The polynomial that makes a CRC-32 a CRC-32C. */
const castagnoli = 0x82f63b78

const block = 16 * 1024 * 1024

/** Bytes that nothing can compress and no two parts share, at the speed of AES. */
export async function makeBigFile(root: string, bytes: number, name = 'big.bin'): Promise<BigFile> {
  await requireSpace(root, bytes * 2.5)
  const stream = createCipheriv('aes-256-ctr', Buffer.alloc(32, 7), Buffer.alloc(16))
  const [md5, sha256, crc32c] = [createHash('md5'), createHash('sha256'), (await createCRC32(castagnoli)).init()]
  const zeros = Buffer.alloc(block)
  await using file = await open(join(root, name), 'w')
  for (let written = 0; written < bytes; written += block) {
    const data = stream.update(zeros.subarray(0, Math.min(block, bytes - written)))
    for (const hash of [md5, sha256, crc32c]) hash.update(data)
    await file.write(data)
  }
  const digests = { md5: md5.digest('hex'), sha256: sha256.digest('hex'), crc32c: crc32c.digest('hex') }
  return { path: join(root, name), name, bytes, ...digests }
}

/** A file that is nearly all hole: the server reads it without a disk, the client writes every byte. */
export async function makeSparseFile(root: string, bytes: number): Promise<{ path: string; name: string }> {
  await requireSpace(root, bytes * 1.1)
  const name = 'sparse.bin'
  await using file = await open(join(root, name), 'w')
  await file.truncate(bytes)
  // A mark in every GiB, so that a part written to a wrong place does not compare equal.
  for (let offset = 0; offset < bytes; offset += 2 ** 30) await file.write(`${offset}`, offset)
  return { path: join(root, name), name }
}

export async function makeSmallFiles(root: string, count: number): Promise<{ directory: string; names: string[] }> {
  const directory = join(root, 'small')
  await mkdir(directory)
  const stream = createCipheriv('aes-256-ctr', Buffer.alloc(32, 8), Buffer.alloc(16))
  const zeros = Buffer.alloc(smallFileBytes)
  const names = Array.from({ length: count }, (_, index) => `${String(index).padStart(7, '0')}.bin`)
  for (const name of names) await writeFile(join(directory, name), stream.update(zeros))
  return { directory, names }
}

export async function makeRowFile(root: string): Promise<string> {
  const path = join(root, rowFile)
  await writeFile(path, Buffer.alloc(rowBytes, 'row '))
  return path
}

async function requireSpace(directory: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(directory)
  if (bavail * bsize >= bytes) return
  const gib = (count: number) => `${(count / 2 ** 30).toFixed(1)} GiB`
  throw new Error(
    `Cannot measure in ${directory}: needs ${gib(bytes)} free, has ${gib(bavail * bsize)}; try --dir or --size`,
  )
}
