/**
 * The manifest trail: what the catalogue can be made from again (reliability G1). Each process writes a segment of its own, so
 * no lock is needed. What line counts for a name is said by the lines themselves (`order`): segments are read one after
 * another, and neither their names nor any clock has a part in it.
 *
 *     .arriero/trail/<number of its first record>-<random>.jsonl
 *
 * The first line of a segment names the ends of those that no other segment has named yet, so that none can be cut off or
 * removed unnoticed, whoever wrote it.
 */
import { randomBytes } from 'node:crypto'
import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '../../log.ts'
import type { TrailReading, TrailRecord } from '../store.ts'
import { refuseBreak } from '../trail-break.ts'
import { formatLine, type SegmentEnd, START } from '../trail-line.ts'
import { createGroup } from './group.ts'
import { syncDirectory } from './sync-directory.ts'
import { endOf, endsNamedBy, judgeSegment, readLines } from './trail-segment.ts'

/** A segment that has become longer is followed by another. */
const SEGMENT = 256 << 20

interface Segment {
  readonly name: string
  readonly after: readonly SegmentEnd[]
  /** Of its last durable line. */
  number: number
  previous: string
  size: number
}

export class Trail {
  readonly #directory: string
  readonly #log: Log
  readonly #write: (records: readonly TrailRecord[]) => Promise<void>
  /** How segments ended to which an append failed: what lies behind that may be gone after a power cut. */
  readonly #left = new Map<string, SegmentEnd | undefined>()
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

  async *read({ report = refuseBreak, disbelieve }: TrailReading = {}): AsyncGenerator<TrailRecord> {
    const segments = await this.#segments()
    const known = await this.#namedEnds(segments)
    for (const name of segments) {
      const path = join(this.#directory, name)
      const { believed, broken, torn } = await judgeSegment(path, known.get(name) ?? new Map())
      known.delete(name)
      if (broken) report({ place: placeOf(name, broken.number), reason: broken.reason })
      if (torn !== undefined) {
        this.#log.warn({ segment: name, line: torn }, 'the last record of the trail is torn: its write was cut off')
      }
      let number = 0
      for await (const { line, reason } of readLines(path)) {
        number += 1
        if (number > believed && !disbelieve) break
        if (number > believed) line && disbelieve?.(line.record)
        else if (line) yield line.record
        else report({ place: placeOf(name, number), reason: reason ?? 'it has changed while it was read' })
      }
    }
    for (const name of known.keys()) report({ place: name, reason: 'a later segment names it, and it is not there' })
  }

  async #append(records: readonly TrailRecord[]): Promise<void> {
    const segment = this.#segment ?? (await this.#begin(records[0]!))
    this.#segment = undefined
    const isNew = segment.number === 0
    const { name } = segment
    let { number, previous } = segment
    const lines = records.map(record => {
      const after = number === 0 && segment.after.length > 0 ? { after: segment.after } : {}
      const { text, sha256 } = formatLine({ number: ++number, previous, ...after, record })
      previous = sha256
      return text
    })
    const bytes = Buffer.from(lines.join(''))
    // If this fails, nobody knows how much of it is there: the next one begins anew.
    this.#left.set(name, isNew ? undefined : { segment: name, number: segment.number, sha256: segment.previous })
    const file = await open(join(this.#directory, name), isNew ? 'ax' : 'a', 0o600)
    try {
      await file.writeFile(bytes)
      await (isNew ? file.sync() : file.datasync())
    } finally {
      await file.close()
    }
    if (isNew) await syncDirectory(this.#directory)
    this.#left.delete(name)
    Object.assign(segment, { number, previous, size: segment.size + bytes.length })
    if (segment.size < SEGMENT) this.#segment = segment
  }

  async #begin({ order }: TrailRecord): Promise<Segment> {
    const name = `${String(order).padStart(16, '0')}-${randomBytes(8).toString('hex')}.jsonl`
    return { name, after: await this.#unnamedEnds(), number: 0, previous: START, size: 0 }
  }

  async #segments(): Promise<string[]> {
    return (await readdir(this.#directory)).filter(name => name.endsWith('.jsonl')).sort()
  }

  /** How segments end now, but for those of which another says so already. */
  async #unnamedEnds(): Promise<SegmentEnd[]> {
    const segments = await this.#segments()
    const known = await this.#namedEnds(segments)
    const ends: SegmentEnd[] = []
    for (const name of segments) {
      const end = this.#left.has(name) ? this.#left.get(name) : await endOf(join(this.#directory, name))
      if (end && !known.get(name)?.has(end.number)) ends.push(end)
    }
    return ends
  }

  /** What segments say of others: digests of lines by number, by segment. */
  async #namedEnds(segments: readonly string[]): Promise<Map<string, Map<number, string>>> {
    const known = new Map<string, Map<number, string>>()
    for (const name of segments) {
      for (const { segment, number, sha256 } of await endsNamedBy(join(this.#directory, name))) {
        known.set(segment, (known.get(segment) ?? new Map()).set(number, sha256))
      }
    }
    return known
  }
}

function placeOf(segment: string, number: number): string {
  return `${segment}, line ${number}`
}
