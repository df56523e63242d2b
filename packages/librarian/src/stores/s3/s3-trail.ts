import { createHash, randomBytes } from 'node:crypto'
import { LibrarianError } from '@arriero/api'
import { createGroup } from '../local/group.ts'
import { parseLine, START } from '../local/trail.ts'
import type { TrailRecord } from '../store.ts'
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
 * The manifest trail where nothing can be appended to: an object for each call, `<time>-<writer>-<number>.jsonl`. The lines are
 * those of local stores; a writer's chain goes on from object to object.
 */
export class S3Trail {
  readonly #place: S3Place
  readonly #prefix: string
  readonly #write: (records: readonly TrailRecord[]) => Promise<void>
  #writer = randomBytes(8).toString('hex')
  #objects = 0
  #number = 0
  #previous = START

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

  async *read(): AsyncGenerator<TrailRecord> {
    const chains = new Map<string, { number: number; previous: string }>()
    for await (const { key } of listObjects(this.#place, this.#prefix)) {
      const writer = /-([0-9a-f]{16})-\d+\.jsonl$/.exec(key)?.[1]
      if (writer === undefined) throw broken(key, 'it is no object of a trail')
      const chain = chains.get(writer) ?? { number: 0, previous: START }
      chains.set(writer, chain)
      for (const text of (await this.#textOf(key)).trimEnd().split('\n')) {
        const line = parseLine(text)
        if (!line) throw broken(key, 'it must have records, it has something else')
        if (line.number !== ++chain.number || line.previous !== chain.previous) {
          throw broken(key, 'a record must name the one before it, it names another')
        }
        chain.previous = sha256(text)
        yield line.record as TrailRecord
      }
    }
  }

  async #textOf(key: string): Promise<string> {
    const found = await headObject(this.#place, key)
    if (!found) throw broken(key, 'it was removed while it was read')
    const pieces = await Array.fromAsync(readObject(this.#place, key, { etag: found.etag, start: 0, end: found.size }))
    return Buffer.concat(pieces).toString()
  }

  async #put(records: readonly TrailRecord[]): Promise<void> {
    let [number, previous] = [this.#number, this.#previous]
    const lines = records.map(record => {
      const text = JSON.stringify({ number: ++number, previous, record })
      previous = sha256(text)
      return `${text}\n`
    })
    const time = records[0]!.time.replaceAll(':', '')
    const key = `${this.#prefix}${time}-${this.#writer}-${String(this.#objects).padStart(9, '0')}.jsonl`
    try {
      await this.#keep(key, contentOf(Buffer.from(lines.join(''))))
    } catch (error) {
      // Whether it is there nobody knows: a new chain begins.
      this.#writer = randomBytes(8).toString('hex')
      this.#number = this.#objects = 0
      this.#previous = START
      throw error
    }
    this.#objects++
    this.#number = number
    this.#previous = previous
  }

  async #keep(key: string, content: S3Content): Promise<void> {
    await putObject(this.#place, key, content)
    const found = await headObject(this.#place, key)
    const digests = found && (await digestObject(this.#place, key, found, ['sha256']))
    if (digests?.sha256 !== content.sha256) throw broken(key, 'it must be what was put, it is something else')
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

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function broken(where: string, why: string): LibrarianError {
  return new LibrarianError('Internal', `The trail is broken at ${where}: ${why}`)
}
