import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { LibrarianError } from '@arriero/api'
import { digestPath } from '@arriero/transfer'
import type { Copies } from '../local/copies.ts'
import { checkId } from '../local/layout.ts'
import type { PublishJob } from '../local/task.ts'
import { outcomeOf } from '../outcomes.ts'
import { fileExists, notPrepared } from '../refusals.ts'
import type { Outcome, Publication, Published, WorkState } from '../store.ts'
import { copyObject, isContentOf, whyNotFree } from './s3-contents.ts'
import { speaking } from './s3-error.ts'
import type { S3Ground, S3Keys } from './s3-keys.ts'
import { isStorePrefix } from './s3-nesting.ts'
import {
  abortUploads,
  fingerprintOf,
  headObject,
  putObject,
  type S3Content,
  type S3Object,
  type S3Place,
  Taken,
} from './s3-objects.ts'

export interface S3PublisherParts extends S3Ground {
  readonly copies: Copies
  /** The directory in which the copies lie. */
  readonly workPath: string
  /** Of a name, for people and programs. */
  readonly pathOf: (name: string) => string
}

/** Folders of which it is remembered that they are no store. */
const MOST_FOLDERS = 10_000

/** Puts private copies from the scratch disk under their final names. */
export class S3Publisher {
  readonly #parts: S3PublisherParts
  readonly #place: S3Place
  readonly #keys: S3Keys
  readonly #plainFolders = new Set<string>()

  constructor(parts: S3PublisherParts) {
    this.#parts = parts
    this.#place = parts.place
    this.#keys = parts.keys
  }

  async publish(works: readonly Publication[]): Promise<Outcome<Published>[]> {
    const jobs = await this.#parts.copies.jobsFor(works)
    return Promise.all(jobs.map(job => outcomeOf(() => this.#publish(job))))
  }

  async replace(work: Publication, id: string): Promise<Published> {
    const key = this.#keys.of(work.name)
    const bad = await headObject(this.#place, key)
    if (bad && (await isContentOf(this.#place, work, key, bad))) return this.#published(work.name, bad)
    const [job] = await this.#parts.copies.jobsFor([work])
    const content = await this.#contentOf(job!)
    if (!content) throw notPrepared(work.id, work.name)
    if (bad) await copyObject(this.#place, this.#keys.ofPrivate(`quarantine/${checkId(id)}`), key, bad)
    return speaking(this.#place, 'repair', work.name, async () => {
      await putObject(this.#place, key, content, bad ? { replaces: bad.etag } : {})
      return this.#verified(work, key)
    })
  }

  async inspect(work: Publication): Promise<WorkState> {
    const key = this.#keys.of(work.name)
    const found = await headObject(this.#place, key)
    if (found) return (await isContentOf(this.#place, work, key, found)) ? 'published' : 'foreign'
    if (await whyNotFree(this.#place, this.#keys.prefix, work.name)) return 'foreign'
    const [job] = await this.#parts.copies.jobsFor([work])
    return (await this.#contentOf({ ...job!, isKnown: false })) ? 'prepared' : 'absent'
  }

  async #publish(job: PublishJob): Promise<Published> {
    const key = this.#keys.of(job.name)
    return speaking(this.#place, 'publish', job.name, async () => {
      const there = await headObject(this.#place, key)
      if (there) return this.#sameOrRefused(job, key, there)
      const met = (await whyNotFree(this.#place, this.#keys.prefix, job.name)) ?? (await this.#whyElsewhere(job.name))
      if (met) throw fileExists(job.name, met)
      const content = await this.#contentOf(job)
      if (!content) throw notPrepared(job.id, job.name)
      await abortUploads(this.#place, key)
      try {
        await putObject(this.#place, key, content)
      } catch (error) {
        const taken = error instanceof Taken ? await headObject(this.#place, key) : undefined
        if (!taken) throw error
        return this.#sameOrRefused(job, key, taken)
      }
      return this.#verified(job, key)
    })
  }

  /** Whether a name would lie in another store; a folder that was none is not asked about again for as long as this is open. */
  async #whyElsewhere(name: string): Promise<string | undefined> {
    for (let at = name.lastIndexOf('/'); at > 0; at = name.lastIndexOf('/', at - 1)) {
      const folder = name.slice(0, at)
      if (this.#plainFolders.has(folder)) return undefined
      if (await isStorePrefix(this.#place, this.#keys.of(`${folder}/`))) {
        return `it lies in ${folder}, which is the root of another store`
      }
    }
    for (let at = name.indexOf('/'); at > 0; at = name.indexOf('/', at + 1)) this.#plainFolders.add(name.slice(0, at))
    if (this.#plainFolders.size > MOST_FOLDERS) this.#plainFolders.clear()
    return undefined
  }

  async #sameOrRefused(work: Publication, key: string, there: S3Object): Promise<Published> {
    if (!(await isContentOf(this.#place, work, key, there))) throw fileExists(work.name, 'it leads to something else')
    return this.#published(work.name, there)
  }

  /** What came back from there is compared, and not only what was sent. */
  async #verified(work: Publication, key: string): Promise<Published> {
    const found = await headObject(this.#place, key)
    if (found?.size !== work.size || found.sha256 !== work.sha256) {
      throw new LibrarianError(
        'Internal',
        `Cannot publish ${work.name}: the bucket must have what was put, it has something else`,
      )
    }
    return this.#published(work.name, found)
  }

  #published(name: string, found: S3Object): Published {
    return { path: this.#parts.pathOf(name), fingerprint: fingerprintOf(found) }
  }

  /** The private copy on the scratch disk. */
  async #contentOf(job: PublishJob): Promise<S3Content | undefined> {
    for (const copy of job.copies) {
      const path = join(this.#parts.workPath, copy)
      if (!job.isKnown) {
        const found = await digestPath(path, { functions: ['sha256'], links: 'refuse' }).catch(() => undefined)
        if (found?.kind !== job.kind || found.size !== job.size || found.sha256 !== job.sha256) continue
      }
      return { size: job.size, sha256: job.sha256, read: (start, end) => readFileRange(path, start, end) }
    }
    return undefined
  }
}

async function* readFileRange(path: string, start: number, end: number): AsyncGenerator<Uint8Array> {
  if (start === end) return
  yield* createReadStream(path, { start, end: end - 1, highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>
}
