/**
 * Names that only the sources tell, from one run to the next (gen3 8.2). Sources answer in any order, so which of two rows
 * with one name is numbered is chance; but what a row was given once, it is given again, and nobody else is.
 *
 *     row and wanted path   →   number of the path that it was given; 1: the wanted one itself
 *     path                  →   0: it was given to somebody
 *
 * Kept as records of 16 bytes, 12 of a SHA-256 and the number, which are on their way to the disk before the file they
 * name. Of the hash 65 bits are compared. More than two million are not kept: rows behind them are numbered as they come.
 */
import { hash } from 'node:crypto'
import { writeSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { hashUri } from '../journal.ts'
import type { Entry } from '../manifest/entry.ts'
import { openRecordFile } from '../manifest/record-file.ts'
import { numberedName, splitExtension } from './bytes.ts'
import { HashIndex } from './hash-index.ts'
import { foldName } from './registry.ts'

const KEY_BYTES = 12
const BYTES = 16
const MOST = 2_000_000

export class GivenNames {
  readonly #index = new HashIndex({ keyBits: 65, numberBits: 32 })
  readonly #path: string
  #handle: FileHandle | undefined

  constructor(path: string) {
    this.#path = path
  }

  /**
   * Reads what earlier runs gave; before anything is asked.
   *
   * @throws TransferError Disk
   */
  async open(): Promise<void> {
    const { known, handle } = await openRecordFile(this.#path, BYTES)
    this.#handle = handle
    for (const record of known) {
      const key = record.toString('latin1', 0, KEY_BYTES)
      if (!this.#index.seek(key)) this.#index.insert(false, record.readUInt32LE(KEY_BYTES))
    }
  }

  /** What an earlier run gave this row, when it wanted this path. */
  pathFor(entry: Entry, wanted: string): string | undefined {
    if (this.#index.size === 0 || !this.#index.seek(ownerKey(entry, wanted))) return undefined
    const number = this.#index.long
    return number === 1 ? wanted : numbered(wanted, number)
  }

  /** Whether the path was given to any row. */
  isGiven(path: string): boolean {
    return this.#index.size > 0 && this.#index.seek(pathKey(path))
  }

  /** Remembers what a row was given. What cannot be written is numbered as it comes the next time. */
  give(entry: Entry, wanted: string, path: string): void {
    const number = numberOf(wanted, path)
    if (number !== undefined) this.#add(ownerKey(entry, wanted), number)
    // The list for the next run has it under this name.
    this.#add(ownerKey(entry, path), 1)
    this.#add(pathKey(path), 0)
  }

  async close(): Promise<void> {
    await this.#handle?.close()
  }

  #add(key: string, number: number): void {
    if (!this.#handle || this.#index.size >= MOST || this.#index.seek(key)) return
    this.#index.insert(false, number)
    const record = Buffer.alloc(BYTES)
    record.write(key, 'latin1')
    record.writeUInt32LE(number, KEY_BYTES)
    try {
      writeSync(this.#handle.fd, record)
    } catch {
      // It costs a stable name, not the file.
    }
  }
}

function ownerKey({ id, uris: [uri], range }: Entry, wanted: string): string {
  const part = range ? ` ${range.start}-${range.end}` : ''
  return keyOf(`row ${uri === undefined ? id : hashUri(uri)}${part}\n${wanted}`)
}

function pathKey(path: string): string {
  return keyOf(`path ${foldName(path)}`)
}

function keyOf(text: string): string {
  return hash('sha256', text, 'binary').slice(0, KEY_BYTES)
}

/** Which number makes this path of the wanted one; undefined when another directory was given, too. */
function numberOf(wanted: string, path: string): number | undefined {
  if (path === wanted) return 1
  const number = Number(/_(\d+)$/.exec(splitExtension(path)[0])?.[1])
  return numbered(wanted, number) === path ? number : undefined
}

function numbered(path: string, number: number): string {
  const cut = path.lastIndexOf('/') + 1
  return path.slice(0, cut) + numberedName(path.slice(cut), number)
}
