/**
 * What earlier runs have proven (gen3 9.2): files whose content was held to a digest and that nobody has touched since.
 * Kept as 12-byte hashes of path, size, times, inode and digest, one behind the other, so that ten million of them are
 * read in a moment. A file that is not among them, as after a kill, is read again, which costs time and nothing else. Of the hash 65 bits are compared: to pass over a file that differs, one of ten million others would have
 * to share them, with a probability of about 10⁻¹² for each file that was touched.
 */
import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { diskError } from '../disk-error.ts'
import { HashIndex } from '../names/hash-index.ts'
import { openRecordFile } from './record-file.ts'

export interface ProvenFile {
  /** Relative to the directory of the run. */
  readonly path: string
  readonly size: number
  readonly mtimeNs: bigint
  /** Unlike mtime it cannot be set back: who writes, copies or renames a file changes it. */
  readonly ctimeNs: bigint
  readonly inode: bigint
  /** What the manifest demands, `alg:hex`; empty where the source said it. */
  readonly digest: string
}

const BYTES = 12
const FLUSH_AT = 64 * 1024

export class Proven {
  readonly #path: string
  readonly #index: HashIndex
  readonly #handle: FileHandle
  #pending: Buffer[] = []
  #pendingBytes = 0
  readonly #earlier: number
  #writing: Promise<void> = Promise.resolve()

  private constructor(path: string, index: HashIndex, handle: FileHandle) {
    this.#path = path
    this.#index = index
    this.#handle = handle
    this.#earlier = index.size
  }

  static async open(path: string): Promise<Proven> {
    const { known, handle } = await openRecordFile(path, BYTES)
    const index = new HashIndex({ keyBits: 65, numberBits: 0 })
    for (const key of known) if (!index.seek(key.toString('latin1'))) index.insert(false)
    return new Proven(path, index, handle)
  }

  /** Nothing was proven by earlier runs: nobody need look for it. */
  get isNew(): boolean {
    return this.#earlier === 0
  }

  has(file: ProvenFile): boolean {
    return this.#index.seek(keyOf(file).toString('latin1'))
  }

  add(file: ProvenFile): void {
    const key = keyOf(file)
    if (this.#index.seek(key.toString('latin1'))) return
    this.#index.insert(false)
    this.#pending.push(key)
    this.#pendingBytes += BYTES
    if (this.#pendingBytes >= FLUSH_AT) void this.flush()
  }

  /** Writes what waits; what cannot be written is proven again by the next run. */
  flush(): Promise<void> {
    const bytes = Buffer.concat(this.#pending)
    this.#pending = []
    this.#pendingBytes = 0
    if (bytes.length > 0) {
      this.#writing = this.#writing.then(() => this.#handle.appendFile(bytes)).catch(() => {})
    }
    return this.#writing
  }

  async close(): Promise<void> {
    await this.flush()
    await this.#handle.close().catch(error => {
      throw diskError(error, 'close', this.#path)
    })
  }
}

function keyOf({ path, size, mtimeNs, ctimeNs, inode, digest }: ProvenFile): Buffer {
  const text = `${path}\n${size}\n${mtimeNs}\n${ctimeNs}\n${inode}\n${digest}`
  return createHash('sha256').update(text).digest().subarray(0, BYTES)
}
