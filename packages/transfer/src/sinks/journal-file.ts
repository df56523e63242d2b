import { constants, writeSync } from 'node:fs'
import { type FileHandle, open, rename, unlink, utimes } from 'node:fs/promises'
import { diskError } from '../disk-error.ts'
import {
  type Block,
  formatBlock,
  formatHeader,
  formatLeft,
  type Journal,
  type JournalHeader,
  parseJournal,
} from '../journal.ts'
import { openOrdinary } from '../ordinary-file.ts'

/** How often a journal shows that its owner lives, ms. */
const HEARTBEAT_MS = 15_000

/**
 * Appends to a journal. Each record is one small synchronous write: on the thread pool it would queue behind the data of
 * other parts, and a kill would lose the records of parts that were long there.
 */
export class JournalFile {
  readonly path: string
  readonly #handle: FileHandle
  readonly #heartbeat: NodeJS.Timeout
  #failure: unknown

  private constructor(path: string, handle: FileHandle) {
    this.path = path
    this.#handle = handle
    this.#heartbeat = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => {}), HEARTBEAT_MS)
    this.#heartbeat.unref()
  }

  /** A new journal. Its exclusive creation is what keeps a second process off; rejects with EEXIST as it is. */
  static async create(path: string, header: JournalHeader): Promise<JournalFile> {
    const handle = await open(path, 'ax')
    try {
      await handle.appendFile(formatHeader(header))
      await handle.datasync()
    } catch (error) {
      await handle.close()
      await unlink(path).catch(() => {})
      throw diskError(error, 'write', path)
    }
    return new JournalFile(path, handle)
  }

  /** Takes a journal over: a new header, and only the blocks that hold. Atomic. */
  static async replace(path: string, header: JournalHeader, blocks: readonly Block[]): Promise<JournalFile> {
    const next = `${path}.new`
    await unlink(next).catch(() => {})
    const handle = await open(next, 'ax').catch(error => {
      throw diskError(error, 'create', next)
    })
    try {
      await handle.appendFile(formatHeader(header) + blocks.map(formatBlock).join(''))
      await handle.datasync()
      await rename(next, path)
    } catch (error) {
      await handle.close()
      await unlink(next).catch(() => {})
      throw diskError(error, 'rewrite', path)
    }
    return new JournalFile(path, handle)
  }

  /** To be called only after the block's write returned. */
  append(block: Block): void {
    this.#write(formatBlock(block))
  }

  /** Leaves it to whoever comes next, this process included. */
  async close(): Promise<void> {
    clearInterval(this.#heartbeat)
    this.#write(formatLeft())
    await this.#handle.close()
    if (this.#failure) throw this.#failure
  }

  async remove(): Promise<void> {
    clearInterval(this.#heartbeat)
    // What it held is worth nothing any more, nor is the news that it could not be written.
    await this.#handle.close().catch(() => {})
    await unlink(this.path).catch(() => {})
  }

  #write(line: string): void {
    const bytes = Buffer.from(line)
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#handle.fd, bytes, at)
    } catch (error) {
      // Without records the next run fetches again: slower, never wrong. The download itself may go on.
      this.#failure = diskError(error, 'write', this.path)
    }
  }
}

export interface FoundJournal {
  /** Undefined: nothing in it can be trusted. */
  readonly journal: Journal | undefined
  /** Its owner's last sign of life, ms since 1970. */
  readonly beatAt: number
  /** Not even the first line was written to its end. */
  readonly isTorn: boolean
}

/** The journal at `path`; undefined when there is none. */
export async function readJournal(path: string): Promise<FoundJournal | undefined> {
  let handle: FileHandle
  try {
    handle = await openOrdinary(path, constants.O_RDONLY)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw diskError(error, 'read', path)
  }
  try {
    const { mtimeMs } = await handle.stat()
    const text = await handle.readFile('utf8')
    return { journal: parseJournal(text), beatAt: mtimeMs, isTorn: !text.includes('\n') }
  } catch (error) {
    throw diskError(error, 'read', path)
  } finally {
    await handle.close()
  }
}
