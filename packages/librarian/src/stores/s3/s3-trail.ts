import { createHash, randomBytes } from 'node:crypto'
import { LibrarianError } from '@arriero/api'
import { createGroup } from '../local/group.ts'
import type { TrailReading, TrailRecord } from '../store.ts'
import { refuseBreak } from '../trail-break.ts'
import { formatLine, parseLine, START, type WrittenLine } from '../trail-line.ts'
import {
  digestObject,
  headObject,
  listObjects,
  putObject,
  readObject,
  type S3Content,
  type S3Place,
} from './s3-objects.ts'

/**
 * The manifest trail where nothing can be appended to: an object for each call, `<writer>-<number>.jsonl`. A writer is
 * named by the number of its first record and something random. The lines are those of local stores; a writer's chain goes on
 * from object to object. What comes after a break of it is not believed.
 */
export class S3Trail {
  readonly #place: S3Place
  readonly #prefix: string
  readonly #write: (records: readonly TrailRecord[]) => Promise<void>
  #chain: Chain | undefined

  constructor(place: S3Place, prefix: string) {
    this.#place = place
    this.#prefix = prefix
    this.#write = createGroup(async batches => {
      await this.#put(batches.flat())
      return []
    })
  }

  async append(records: readonly TrailRecord[]): Promise<void> {
    if (records.length > 0) await this.#write(records)
  }

  async *read({ report = refuseBreak, disbelieve }: TrailReading = {}): AsyncGenerator<TrailRecord> {
    let chain: (Chain & { isBroken: boolean }) | undefined
    // By key, so that the objects of a writer come one after another, in their order.
    for await (const { key } of listObjects(this.#place, this.#prefix)) {
      const found = parseKey(key.slice(this.#prefix.length))
      if (!found) {
        report({ place: key, reason: 'it is no object of a trail' })
        continue
      }
      if (chain?.writer !== found.writer) chain = { ...newChain(found.writer), isBroken: false }
      const lines = await this.#linesOf(key)
      const reason = chain.isBroken ? undefined : whyBroken(chain, found.object, lines)
      if (reason !== undefined) report({ place: key, reason })
      if (reason !== undefined) chain.isBroken = true
      for (const line of typeof lines === 'string' ? [] : lines) {
        if (!line) continue
        if (chain.isBroken) disbelieve?.(line.record)
        else yield line.record
        Object.assign(chain, { number: line.number, previous: line.sha256 })
      }
      chain.objects += 1
    }
  }

  /** Why they cannot be had, in words; undefined for a line that is none. */
  async #linesOf(key: string): Promise<string | (WrittenLine | undefined)[]> {
    const found = await headObject(this.#place, key)
    if (!found) return 'it was removed while it was read'
    const pieces = await Array.fromAsync(readObject(this.#place, key, { etag: found.etag, start: 0, end: found.size }))
    return Buffer.concat(pieces).toString().trimEnd().split('\n').map(parseLine)
  }

  async #put(records: readonly TrailRecord[]): Promise<void> {
    const chain = this.#chain ?? newChain(newWriter(records[0]!))
    // If this fails, nobody knows whether it is there: a new chain begins.
    this.#chain = undefined
    let { number, previous } = chain
    const lines = records.map(record => {
      const { text, sha256 } = formatLine({ number: ++number, previous, record })
      previous = sha256
      return text
    })
    const key = `${this.#prefix}${chain.writer}-${String(chain.objects).padStart(9, '0')}.jsonl`
    await this.#keep(key, contentOf(Buffer.from(lines.join(''))))
    this.#chain = { ...chain, number, previous, objects: chain.objects + 1 }
  }

  async #keep(key: string, content: S3Content): Promise<void> {
    await putObject(this.#place, key, content)
    const found = await headObject(this.#place, key)
    const digests = found && (await digestObject(this.#place, key, found, ['sha256']))
    if (digests?.sha256 !== content.sha256) throw wrongContent(key)
  }
}

export function contentOf(bytes: Uint8Array): S3Content {
  return {
    size: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    async *read(start, end) {
      yield bytes.subarray(start, end)
    },
  }
}

interface Chain {
  readonly writer: string
  /** Of its last line. */
  number: number
  previous: string
  objects: number
}

function newWriter({ order }: TrailRecord): string {
  return `${String(order).padStart(16, '0')}-${randomBytes(8).toString('hex')}`
}

function newChain(writer: string): Chain {
  return { writer, number: 0, previous: START, objects: 0 }
}

function parseKey(name: string): { writer: string; object: number } | undefined {
  const [, writer, object] = /^(\d{16}-[0-9a-f]{16})-(\d+)\.jsonl$/.exec(name) ?? []
  return writer === undefined ? undefined : { writer, object: Number(object) }
}

/** All lines of an object are one append: they are believed together. */
function whyBroken(
  { number, previous, objects }: Chain,
  object: number,
  lines: string | readonly (WrittenLine | undefined)[],
): string | undefined {
  if (object !== objects) return `it must be object ${objects} of its writer, it is object ${object}`
  if (typeof lines === 'string') return lines
  for (const line of lines) {
    if (!line) return 'it must have records with their own digests, it has something else'
    if (line.number !== ++number || line.previous !== previous) {
      return 'a record must name the one before it, it names another'
    }
    previous = line.sha256
  }
  return undefined
}

function wrongContent(key: string): LibrarianError {
  return new LibrarianError('Internal', `Cannot write to the trail: ${key} must be what was put, it is something else`)
}
