import { ftruncate as truncateFd, write as writeFd } from 'node:fs'
import { constants, type FileHandle, open, unlink } from 'node:fs/promises'
import { diskError } from '../disk-error.ts'

/** Alignment that direct I/O needs of addresses, offsets and lengths; no device asks for more. */
const ALIGNMENT = 4096

/**
 * The data of a download under way. Whole aligned parts go to the disk directly from the memory where they landed: that
 * saves the copy through the page cache, and the sync at the end has nothing left to wait for. Unaligned tails, and file
 * systems that refuse direct I/O, take the ordinary way (docs/decisions/0002-direct-writes.md).
 */
export class PartFile {
  readonly path: string
  readonly #plain: FileHandle
  readonly #direct: FileHandle | undefined
  #isDirect: boolean

  private constructor(path: string, plain: FileHandle, direct: FileHandle | undefined) {
    this.path = path
    this.#plain = plain
    this.#direct = direct
    this.#isDirect = direct !== undefined
  }

  /** A new file of `size` bytes; the name must be free. */
  static async create(path: string, size: number): Promise<PartFile> {
    const plain = await open(path, 'wx+').catch(error => {
      throw diskError(error, 'create', path)
    })
    const file = new PartFile(path, plain, await openDirectly(path))
    try {
      await file.#setLength(size)
    } catch (error) {
      await file.close().catch(() => {})
      await unlink(path).catch(() => {})
      throw error
    }
    return file
  }

  /** The file that an earlier run left. */
  static async reopen(path: string): Promise<PartFile> {
    const plain = await open(path, constants.O_RDWR | constants.O_NOFOLLOW).catch(error => {
      throw diskError(error, 'reopen', path)
    })
    return new PartFile(path, plain, await openDirectly(path))
  }

  /** Writes all of `bytes`; short writes are continued. */
  async write(offset: number, bytes: Uint8Array): Promise<void> {
    const direct = this.#isDirect ? this.#direct : undefined
    const aligned =
      direct && offset % ALIGNMENT === 0 && bytes.byteOffset % ALIGNMENT === 0 ? alignDown(bytes.length) : 0
    if (direct && aligned > 0) {
      try {
        await writeAll(direct.fd, bytes.subarray(0, aligned), offset)
      } catch (error) {
        // The file system accepted the flag and refuses the write: from now on the ordinary way. The descriptor stays
        // open until the end: other writes are under way on it, and its number must not come to mean another file.
        if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw diskError(error, 'write', this.path)
        this.#isDirect = false
        return this.write(offset, bytes)
      }
    }
    if (aligned === bytes.length) return
    await writeAll(this.#plain.fd, bytes.subarray(aligned), offset + aligned).catch(error => {
      throw diskError(error, 'write', this.path)
    })
  }

  /** Fills `into`; a file that ends before is an error. */
  async read(offset: number, into: Uint8Array): Promise<void> {
    for (let done = 0; done < into.length; ) {
      const { bytesRead } = await this.#plain.read(into, done, into.length - done, offset + done).catch(error => {
        throw diskError(error, 'read back', this.path)
      })
      if (bytesRead === 0) throw diskError(new Error('it is shorter than recorded'), 'read back', this.path)
      done += bytesRead
    }
  }

  /** Content on stable storage. Never call it again after a failure: a second success would be a lie. */
  async sync(): Promise<void> {
    await this.#plain.datasync().catch(error => {
      throw diskError(error, 'sync', this.path)
    })
  }

  async setTime(mtimeMs: number): Promise<void> {
    await this.#plain.utimes(mtimeMs / 1000, mtimeMs / 1000)
  }

  async setLength(size: number): Promise<void> {
    await this.#setLength(size)
  }

  async close(): Promise<void> {
    await this.#direct?.close()
    await this.#plain.close().catch(error => {
      throw diskError(error, 'close', this.path)
    })
  }

  #setLength(size: number): Promise<void> {
    return new Promise((resolve, reject) => {
      truncateFd(this.#plain.fd, size, error =>
        error ? reject(diskError(error, 'make room in', this.path)) : resolve(),
      )
    })
  }
}

async function openDirectly(path: string): Promise<FileHandle | undefined> {
  if (constants.O_DIRECT === undefined) return undefined
  try {
    return await open(path, constants.O_WRONLY | constants.O_DIRECT | constants.O_NOFOLLOW)
  } catch {
    return undefined
  }
}

function writeAll(fd: number, bytes: Uint8Array, offset: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const step = (done: number) => {
      writeFd(fd, bytes, done, bytes.length - done, offset + done, (error, written) => {
        if (error) reject(error)
        else if (done + written >= bytes.length) resolve()
        else step(done + written)
      })
    }
    step(0)
  })
}

function alignDown(length: number): number {
  return length - (length % ALIGNMENT)
}
