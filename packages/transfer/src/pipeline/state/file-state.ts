/**
 * The state file: JSON lines that are only ever appended.
 *
 *     {"state":"arriero pipeline","version":1,"stages":["locate","fetch","write"]}
 *     {"key":"418","status":"done","outputs":[{"path":"418-mod.txt","size":7211}],"end":8192}
 *
 * A group of items is committed in this order: their lines into the appended output, sync; their records, sync. Each record
 * says in `end` where the output ended with its line. So whatever a kill tears off the end of either file, the records that
 * are whole tell how far the output is theirs, and the next run cuts off the rest.
 */
import { constants, readSync, statSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { dirname, relative, resolve } from 'node:path'
import { diskError } from '../../disk-error.ts'
import { TransferError } from '../../errors.ts'
import { HashIndex } from '../../names/hash-index.ts'
import { openOrdinary } from '../../ordinary-file.ts'
import { makeDirectory, syncDirectory } from '../../publish/directories.ts'
import { type Claim, takeClaim } from '../../sinks/claim.ts'
import { digestOf, Occurrences } from './occurrences.ts'
import type { Commit, PipelineState, StateRecord } from './state.ts'
import { type LineAt, wholeLines } from './whole-lines.ts'

export interface FileStateOptions {
  readonly path: string
  /** Of the pipeline: a state of other stages is refused. */
  readonly stages: readonly string[]
  /** The file that lines are appended to. */
  readonly output?: string | undefined
  /** Forget what earlier runs did. */
  readonly isFresh?: boolean | undefined
}

const KIND = 'arriero pipeline'
const NO_NUMBERS = 2 ** 32

/** @throws TransferError Locked while another run uses it; Usage where it belongs to another pipeline */
export async function openFileState(options: FileStateOptions): Promise<PipelineState> {
  const path = resolve(options.path)
  await makeDirectory(dirname(path))
  const claims: Claim[] = []
  const files: FileHandle[] = []
  try {
    claims.push(await claimed(path))
    return await FileState.open({ ...options, path }, claims, files)
  } catch (error) {
    for (const file of files) await file.close().catch(() => {})
    for (const claim of claims) await claim.release()
    throw error instanceof TransferError ? error : diskError(error, 'read', path)
  }
}

async function claimed(path: string): Promise<Claim> {
  const claim = await takeClaim(`${path}.claim`)
  if (typeof claim !== 'string') return claim
  const message = `Cannot use ${path}: another run of the pipeline ${claim === 'held' ? 'is' : 'may be'} using it`
  throw new TransferError('Locked', message, { file: path, remedy: 'Wait for its end, or name another file.' })
}

interface OpenFile {
  readonly file: FileHandle
  readonly path: string
}

class FileState implements PipelineState {
  readonly #path: string
  readonly #claims: readonly Claim[]
  readonly #file: FileHandle
  readonly #output: OpenFile | undefined
  /** Where the record of each done item begins. */
  readonly #records: HashIndex
  readonly #occurrences = new Occurrences()
  /** Kept: a list asks for very many. */
  #piece = Buffer.alloc(1024)
  #size: number
  #outputSize: number

  static async open(o: FileStateOptions, claims: Claim[], files: FileHandle[]): Promise<FileState> {
    const file = await openOrdinary(o.path, constants.O_RDWR | constants.O_CREAT)
    files.push(file)
    await assertOurs(file, o.path)
    const read = o.isFresh ? nothingRead() : await readState(file, o)
    const output = o.output === undefined ? undefined : await openOutput(resolve(o.output), read, o, claims)
    if (output) files.push(output.file)
    await file.truncate(read.size)
    const state = new FileState(o.path, claims, file, output, read)
    if (read.size === 0) await state.#begin(o.stages)
    return state
  }

  private constructor(
    path: string,
    claims: readonly Claim[],
    file: FileHandle,
    output: OpenFile | undefined,
    { records, size, end }: ReadState,
  ) {
    this.#path = path
    this.#claims = claims
    this.#file = file
    this.#output = output
    this.#records = records
    this.#size = size
    this.#outputSize = end
  }

  find(key: string): { readonly nth: number; readonly record: StateRecord | undefined } {
    const { nth, digest } = this.#occurrences.next(key)
    if (!this.#records.seek(digest)) return { nth, record: undefined }
    const record = this.#recordAt(this.#records.short * NO_NUMBERS + this.#records.long)
    // What it made is gone, or no longer what it was: it has to be made again.
    const isThere = record.key === key && (record.outputs ?? []).every(output => this.#isThere(output))
    return { nth, record: isThere ? record : undefined }
  }

  async commit(batch: readonly Commit[]): Promise<void> {
    const lines: Uint8Array[] = []
    const records: string[] = []
    let end = this.#outputSize
    for (const { record, line } of batch) {
      if (line) {
        lines.push(line)
        end += line.length
      }
      records.push(JSON.stringify(this.#output ? { ...this.#relative(record), end } : this.#relative(record)))
    }
    try {
      if (this.#output && lines.length > 0) {
        await append(this.#output.file, this.#output.path, Buffer.concat(lines), this.#outputSize)
      }
      await this.#write(`${records.join('\n')}\n`)
      this.#outputSize = end
    } catch (error) {
      await this.#cutBack()
      throw error
    }
  }

  /** What a full disk left half of: the next run would cut it off, but who reads the output meanwhile shall not see it. */
  async #cutBack(): Promise<void> {
    await this.#file.truncate(this.#size).catch(() => {})
    await this.#output?.file.truncate(this.#outputSize).catch(() => {})
  }

  async close(): Promise<void> {
    await this.#file.close()
    await this.#output?.file.close()
    for (const claim of this.#claims) await claim.release()
  }

  async #begin(stages: readonly string[]): Promise<void> {
    await this.#write(`${JSON.stringify({ state: KIND, version: 1, stages })}\n`)
    await syncDirectory(dirname(this.#path))
    if (this.#output) await syncDirectory(dirname(this.#output.path))
  }

  async #write(text: string): Promise<void> {
    const bytes = Buffer.from(text)
    await append(this.#file, this.#path, bytes, this.#size)
    this.#size += bytes.length
  }

  #recordAt(start: number): StateRecord {
    for (;;) {
      const piece = this.#piece
      const count = readSync(this.#file.fd, piece, 0, piece.length, start)
      const line = piece.subarray(0, count).indexOf(10)
      if (line !== -1) return JSON.parse(piece.toString('utf8', 0, line)) as StateRecord
      if (count < piece.length) throw new TransferError('Disk', `Cannot read ${this.#path}: it was cut meanwhile`)
      this.#piece = Buffer.alloc(piece.length * 4)
    }
  }

  /** Paths move with the directory that everything lies in. */
  #relative(record: StateRecord): StateRecord {
    const { outputs } = record
    if (!outputs || outputs.length === 0) return record
    const from = dirname(this.#path)
    return { ...record, outputs: outputs.map(({ path, size }) => ({ path: relative(from, path), size })) }
  }

  #isThere({ path, size }: { readonly path: string; readonly size: number }): boolean {
    const found = statSync(resolve(dirname(this.#path), path), { throwIfNoEntry: false })
    return found?.isFile() === true && found.size === size
  }
}

async function append(file: FileHandle, path: string, bytes: Uint8Array, at: number): Promise<void> {
  try {
    for (let done = 0; done < bytes.length; ) {
      done += (await file.write(bytes, done, bytes.length - done, at + done)).bytesWritten
    }
    await file.datasync()
  } catch (error) {
    throw diskError(error, 'write', path)
  }
}

interface ReadState {
  readonly records: HashIndex
  /** Bytes of whole lines. */
  readonly size: number
  /** Bytes of the appended output that belong to them. */
  readonly end: number
}

function nothingRead(): ReadState {
  return { records: new HashIndex({ keyBits: 97, numberBits: 48 }), size: 0, end: 0 }
}

async function readState(file: FileHandle, { path, stages }: FileStateOptions): Promise<ReadState> {
  const { records } = nothingRead()
  let size = 0
  let end = 0
  for await (const line of wholeLines(file)) {
    const parsed = parsedLine(line)
    if (line.start === 0) assertSameStages(parsed, path, stages)
    else {
      if (!isRecord(parsed)) break
      if (records.seek(digestOf(parsed.key, parsed.nth ?? 1))) {
        records.update(line.start % NO_NUMBERS, Math.floor(line.start / NO_NUMBERS))
      } else records.insert(false, line.start % NO_NUMBERS, Math.floor(line.start / NO_NUMBERS))
      end = parsed.end ?? end
    }
    size = line.end
  }
  return { records, size, end }
}

function parsedLine({ text }: LineAt): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isRecord(value: unknown): value is StateRecord & { readonly end?: number } {
  const { key, status, outputs = [], end = 0 } = (value ?? {}) as Record<string, unknown>
  return typeof key === 'string' && typeof status === 'string' && Array.isArray(outputs) && typeof end === 'number'
}

/** How every state begins. */
const BEGIN = JSON.stringify({ state: KIND, version: 1, stages: [''] }).slice(0, -4)

/** Before anything is cut: what is not ours, or as much of ours as a kill left, is not touched, whatever was asked for. */
async function assertOurs(file: FileHandle, path: string): Promise<void> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(BEGIN.length), 0, BEGIN.length, 0)
  if (BEGIN.startsWith(buffer.toString('latin1', 0, bytesRead))) return
  throw new TransferError('Usage', `Cannot use ${path}: it must be the state of a pipeline, or not exist`, {
    file: path,
    remedy: 'Name another file.',
  })
}

function assertSameStages(header: unknown, path: string, stages: readonly string[]): void {
  const { stages: theirs = [] } = (header ?? {}) as { stages?: readonly string[] }
  if (theirs.join('\n') === stages.join('\n')) return
  const message = `Cannot use ${path}: it belongs to a pipeline of other stages (${theirs.join(', ')}; not ${stages.join(', ')})`
  throw new TransferError('Usage', message, { file: path, remedy: 'Begin anew with --fresh, or name another file.' })
}

/** Opens the appended output where the records say that it ends. */
async function openOutput(
  path: string,
  { size, end }: ReadState,
  { isFresh, path: state }: FileStateOptions,
  claims: Claim[],
) {
  await makeDirectory(dirname(path))
  claims.push(await claimed(path))
  const file = await openOrdinary(path, constants.O_RDWR | constants.O_CREAT)
  try {
    const { size: there, ino, dev } = await file.stat()
    const ours = statSync(state)
    if (ours.ino === ino && ours.dev === dev) {
      const message = `Cannot use ${state}: the pipeline appends its lines to it`
      throw new TransferError('Usage', message, { file: state, remedy: 'Name another file for the state.' })
    }
    if (size === 0 && there > 0 && !isFresh) {
      const message = `Cannot append to ${path}: it exists already, and the state knows nothing of it`
      throw new TransferError('Exists', message, { file: path, remedy: 'Remove it, or name another file.' })
    }
    if (there < end) {
      const message = `Cannot append to ${path}: it has ${there} bytes, but ${end} were written`
      throw new TransferError('Disk', message, { file: path, remedy: 'Begin anew with --fresh.' })
    }
    await file.truncate(end)
    return { file, path }
  } catch (error) {
    await file.close()
    throw error
  }
}
