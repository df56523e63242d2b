/** A thread of its own for the digest of one file: it is told the file, and tells how far it is and, at the end, the digest. */
import { Sha256 } from './sha256.ts'

const PIECE = 4 * 2 ** 20

export type DigestMessage =
  | { readonly kind: 'read'; readonly bytes: number }
  | { readonly kind: 'digest'; readonly hex: string }
  | { readonly kind: 'failed'; readonly message: string }

const tell = (message: DigestMessage) => postMessage(message)

addEventListener('message', async ({ data: file }: MessageEvent<File>) => {
  try {
    const hash = new Sha256()
    for (let at = 0; at < file.size; at += PIECE) {
      hash.update(new Uint8Array(await file.slice(at, at + PIECE).arrayBuffer()))
      tell({ kind: 'read', bytes: Math.min(at + PIECE, file.size) })
    }
    tell({ kind: 'digest', hex: hash.hex() })
  } catch (error) {
    tell({ kind: 'failed', message: error instanceof Error ? error.message : String(error) })
  }
})
