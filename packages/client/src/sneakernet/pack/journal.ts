/**
 * What is on a disk that is being packed: on the disk itself, so that whoever packs it goes on after any end. A line is there
 * once its file was read back from the medium and has its name.
 */
import { type FileHandle, open, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { type PackedItem, type PackingHeader, packedItem, packingHeader } from '../bag/item.ts'
import { JOURNAL } from '../bag/layout.ts'
import { parseLine, readLines } from '../bag/read-lines.ts'
import { syncDirectory, writeAll } from '../disk/durable.ts'
import { diskTrouble } from '../disk/trouble.ts'

export class PackingJournal implements AsyncDisposable {
  readonly header: PackingHeader
  readonly #path: string
  readonly #handle: FileHandle

  private constructor(path: string, header: PackingHeader, handle: FileHandle) {
    this.#path = path
    this.header = header
    this.#handle = handle
  }

  static async begin(directory: string, header: PackingHeader): Promise<PackingJournal> {
    const path = join(directory, JOURNAL)
    try {
      const handle = await open(path, 'wx', 0o644)
      const journal = new PackingJournal(path, header, handle)
      await journal.#append([header])
      await syncDirectory(directory)
      return journal
    } catch (error) {
      throw diskTrouble(error, 'write', path)
    }
  }

  /** A line that a crash has cut is none. Undefined where not even the header is there. */
  static async resume(directory: string): Promise<PackingJournal | undefined> {
    const path = join(directory, JOURNAL)
    try {
      await cutTornLine(path)
      for await (const line of readLines(path)) {
        return new PackingJournal(path, parseLine(packingHeader, line, path), await open(path, 'a'))
      }
      return undefined
    } catch (error) {
      throw diskTrouble(error, 'read', path)
    }
  }

  /** Durable when it resolves. */
  async add(items: readonly PackedItem[]): Promise<void> {
    await this.#append(items)
  }

  async *items(signal?: AbortSignal): AsyncGenerator<PackedItem> {
    let isHeader = true
    for await (const line of readLines(this.#path, signal)) {
      if (!isHeader) yield parseLine(packedItem, line, this.#path)
      isHeader = false
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close()
  }

  async #append(values: readonly object[]): Promise<void> {
    try {
      await writeAll(this.#handle, Buffer.from(values.map(value => `${JSON.stringify(value)}\n`).join('')))
      await this.#handle.sync()
    } catch (error) {
      throw diskTrouble(error, 'write', this.#path)
    }
  }
}

async function cutTornLine(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    const { size } = await handle.stat()
    for (let end = size; end > 0; ) {
      const start = Math.max(0, end - (1 << 16))
      const bytes = Buffer.alloc(end - start)
      await handle.read(bytes, 0, bytes.length, start)
      const at = bytes.lastIndexOf(0x0a)
      if (at >= 0) {
        if (start + at + 1 < size) await truncate(path, start + at + 1)
        return
      }
      end = start
    }
    await truncate(path, 0)
  } finally {
    await handle.close()
  }
}
