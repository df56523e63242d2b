/**
 * The manifest trail: what the catalogue can be made from again (reliability G1). Each process writes a segment of its own, a
 * file of JSON lines in which every line names the SHA-256 of the one before, so that none can be changed or taken out
 * unnoticed; a new segment names the last line of the one before it.
 *
 *     .arriero/trail/<time of its first record>-<random>.jsonl
 *     {"number":1,"previous":"<sha256>","record":{…}}
 */
import { createHash, randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { LibrarianError } from '@arriero/api'
import { z } from 'zod'
import type { Log } from '../../log.ts'
import type { TrailRecord } from '../store.ts'
import { createGroup } from './group.ts'
import { syncDirectory } from './sync-directory.ts'

/** A segment that has become longer is followed by another. */
const SEGMENT = 256 << 20

/** What the first line of a chain names as the line before it. */
export const START = '0'.repeat(64)

const lineSchema = z.object({
  number: z.int().positive(),
  previous: z.string(),
  /** On the first line: the segment before this one, and its last line then. */
  after: z.object({ segment: z.string(), number: z.int(), sha256: z.string() }).optional(),
  record: z.object({
    action: z.enum(['commit', 'trash', 'restore', 'purge']),
    time: z.string(),
    name: z.string(),
    kind: z.enum(['file', 'tree']),
    size: z.number(),
    checksum: z.string(),
    sha256: z.string().nullable(),
    is_attested: z.boolean(),
    create_time: z.string(),
    uploader: z.string(),
    source: z.string(),
    deletion_policy: z.enum(['DISALLOWED', 'ALLOWED']),
    manifest: z.string().optional(),
  }),
})

export type TrailLine = z.infer<typeof lineSchema>
type Line = TrailLine

interface Segment {
  readonly name: string
  number: number
  previous: string
  size: number
  after: Line['after']
}

export class Trail {
  readonly #directory: string
  readonly #log: Log
  readonly #write: (records: readonly TrailRecord[]) => Promise<void>
  #segment: Segment | undefined

  constructor(directory: string, log: Log) {
    this.#directory = directory
    this.#log = log
    this.#write = createGroup(async batches => {
      await this.#append(batches.flat())
      return []
    })
  }

  /** Durable when it resolves; calls that come together share a sync. */
  async append(records: readonly TrailRecord[]): Promise<void> {
    if (records.length > 0) await this.#write(records)
  }

  /** All records, those of several segments by their times. */
  async *read(): AsyncGenerator<TrailRecord> {
    const waiting = await this.#segments()
    const expected = await this.#expectations(waiting)
    const open: { head: TrailRecord; rest: AsyncGenerator<TrailRecord> }[] = []
    while (waiting.length > 0 || open.length > 0) {
      open.sort((a, b) => (a.head.time < b.head.time ? -1 : a.head.time > b.head.time ? 1 : 0))
      const first = open[0]
      // A segment's name begins with the time of its first record.
      if (waiting.length > 0 && (!first || timeOf(waiting[0]!) <= first.head.time)) {
        const rest = this.#readSegment(waiting.shift()!, expected)
        const { value, done } = await rest.next()
        if (!done) open.push({ head: value, rest })
        continue
      }
      yield first!.head
      const { value, done } = await first!.rest.next()
      if (done) open.shift()
      else first!.head = value
    }
    for (const [place, sha256] of expected) throw broken(place, `a later segment says that it was ${sha256}, it is not`)
  }

  async #append(records: readonly TrailRecord[]): Promise<void> {
    const segment = this.#segment ?? (await this.#begin(records[0]!))
    // If this fails, nobody knows how much of it is there: the next one begins anew.
    this.#segment = undefined
    const isNew = segment.number === 0
    const lines = records.map(record => nextLine(segment, record)).join('')
    const file = await open(join(this.#directory, segment.name), isNew ? 'ax' : 'a', 0o600)
    try {
      await file.writeFile(lines)
      await (isNew ? file.sync() : file.datasync())
    } finally {
      await file.close()
    }
    if (isNew) await syncDirectory(this.#directory)
    segment.size += Buffer.byteLength(lines)
    if (segment.size < SEGMENT) this.#segment = segment
  }

  async #begin({ time }: TrailRecord): Promise<Segment> {
    const before = (await this.#segments()).at(-1)
    const name = `${time.replaceAll(':', '')}-${randomBytes(8).toString('hex')}.jsonl`
    return {
      name,
      number: 0,
      previous: START,
      size: 0,
      after: before === undefined ? undefined : await this.#lastOf(before),
    }
  }

  async #segments(): Promise<string[]> {
    return (await readdir(this.#directory)).filter(name => name.endsWith('.jsonl')).sort()
  }

  /** The last whole line. Undefined: there is none. */
  async #lastOf(segment: string): Promise<Line['after']> {
    const file = await open(join(this.#directory, segment), 'r')
    try {
      return lastIn(await tailOf(file), segment)
    } finally {
      await file.close()
    }
  }

  /** What segments say of those before them, by place. */
  async #expectations(segments: readonly string[]): Promise<Map<string, string>> {
    const expected = new Map<string, string>()
    for (const segment of segments) {
      for await (const { text } of linesIn(join(this.#directory, segment))) {
        const after = parseLine(text)?.after
        if (after) expected.set(placeOf(after.segment, after.number), after.sha256)
        break
      }
    }
    return expected
  }

  async *#readSegment(name: string, expected: Map<string, string>): AsyncGenerator<TrailRecord> {
    let previous = START
    let number = 0
    const lines = linesIn(join(this.#directory, name))
    for (let next = await lines.next(); !next.done; ) {
      const { text, isWhole } = next.value
      const place = placeOf(name, ++number)
      const line = isWhole ? parseLine(text) : undefined
      next = await lines.next()
      if (!line && next.done) {
        this.#log.warn({ segment: name, line: number }, 'the last record of the trail is torn: its write was cut off')
        return
      }
      if (!line) throw broken(place, 'it must be a record, it is none')
      if (line.number !== number || line.previous !== previous) {
        throw broken(place, 'it must name the line before it, it names another')
      }
      previous = sha256(text)
      if (expected.get(place) === previous) expected.delete(place)
      yield line.record as TrailRecord
    }
  }
}

function placeOf(segment: string, number: number): string {
  return `${segment}, line ${number}`
}

function nextLine(segment: Segment, record: TrailRecord): string {
  const { after } = segment
  const line = { number: ++segment.number, previous: segment.previous, ...(after ? { after } : {}), record }
  const text = JSON.stringify(line)
  segment.after = undefined
  segment.previous = sha256(text)
  return `${text}\n`
}

/** Undefined: it is no line of a trail. */
export function parseLine(text: string): Line | undefined {
  try {
    return lineSchema.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}

function timeOf(segment: string): string {
  const [, day, hours, minutes, rest] = /^(.{11})(..)(..)(.*Z)-/.exec(segment) ?? []
  return `${day}${hours}:${minutes}:${rest}`
}

function lastIn(tail: string, segment: string): Line['after'] {
  const texts = tail.slice(0, tail.lastIndexOf('\n') + 1).split('\n')
  const text = texts.at(-2)
  const line = text === undefined ? undefined : parseLine(text)
  return line && { segment, number: line.number, sha256: sha256(text!) }
}

/** A line with the manifest of a large tree is long. */
async function tailOf(file: FileHandle): Promise<string> {
  const { size } = await file.stat()
  for (let length = 65_536; ; length *= 8) {
    const start = Math.max(0, size - length)
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(size - start), position: start })
    const text = buffer.toString('utf8', 0, bytesRead)
    if (start === 0 || text.split('\n').length > 2) return text
  }
}

/** A last line without its line feed was cut off. */
async function* linesIn(path: string): AsyncGenerator<{ text: string; isWhole: boolean }> {
  let rest: Buffer[] = []
  for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    let start = 0
    for (let end = piece.indexOf(10); end !== -1; end = piece.indexOf(10, start)) {
      yield { text: Buffer.concat([...rest, piece.subarray(start, end)]).toString(), isWhole: true }
      rest = []
      start = end + 1
    }
    if (start < piece.length) rest.push(piece.subarray(start))
  }
  if (rest.length > 0) yield { text: Buffer.concat(rest).toString(), isWhole: false }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function broken(where: string, why: string): LibrarianError {
  return new LibrarianError('Internal', `The trail is broken at ${where}: ${why}`)
}
