/** Files at a librarian that was just started: bytes that nothing compresses, uploaded by local copy. */
import { createCipheriv } from 'node:crypto'
import { open } from 'node:fs/promises'
import { createPathHasher, loadPathFunctions } from '@arriero/transfer'
import type { Served } from './serve.ts'

export interface Shape {
  readonly count: number
  readonly bytes: number
  readonly label: string
}

/** Uploaded together. */
const FILES = 500
const BYTES = 1 << 30
/** Made at once. */
const PIECE = 16 << 20

export async function fill(served: Served, { count, bytes }: Shape): Promise<void> {
  const together = Math.max(1, Math.min(FILES, Math.floor(BYTES / bytes)))
  for (let at = 0; at < count; at += together) {
    const numbers = Array.from({ length: Math.min(together, count - at) }, (_, index) => at + index)
    await upload(served, numbers, bytes)
  }
}

/** Files by their numbers, together. */
export async function upload({ librarian, user }: Served, numbers: readonly number[], bytes: number): Promise<void> {
  await loadPathFunctions(['xxh3'])
  const { outcomes } = await librarian.upload.batchStage({
    uploader: user,
    uploads: numbers.map(number => ({
      upload_size: bytes,
      upload_checksum: checksumOf(number, bytes),
      upload_name: `${number}.bin`,
      destination_location: `run/${number >> 7}/${number}.bin`,
    })),
  })
  const staged = outcomes.map(outcome => {
    if (!outcome.success) throw new Error(`announcing failed: ${JSON.stringify(outcome)}`)
    return outcome
  })
  for (const [at, { staging_location }] of staged.entries()) await write(staging_location, numbers[at]!, bytes)
  const commits = staged.map(({ transfer_id }) => ({ transfer_id }))
  const { outcomes: ends } = await librarian.upload.batchCommit({ commits })
  const failed = ends.find(({ success }) => !success)
  if (failed) throw new Error(`a commit failed: ${JSON.stringify(failed)}`)
}

function checksumOf(number: number, bytes: number): string {
  const hasher = createPathHasher(['xxh3'])
  for (const piece of contentOf(number, bytes)) hasher.update(piece)
  return `xxh3:::${hasher.digests().xxh3}`
}

async function write(path: string, number: number, bytes: number): Promise<void> {
  await using file = await open(path, 'w')
  for (const piece of contentOf(number, bytes)) await file.writeFile(piece)
}

/** The same at each call. */
function* contentOf(number: number, bytes: number): Generator<Uint8Array> {
  const start = Buffer.alloc(16)
  start.writeUInt32BE(number)
  const stream = createCipheriv('aes-256-ctr', Buffer.alloc(32, 9), start)
  const zeros = Buffer.alloc(Math.min(PIECE, bytes))
  for (let at = 0; at < bytes; at += PIECE) yield stream.update(zeros.subarray(0, Math.min(PIECE, bytes - at)))
}
