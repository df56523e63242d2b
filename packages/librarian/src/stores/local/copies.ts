import { randomBytes } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { outcomeOf } from '../outcomes.ts'
import type { Outcome, Prepared, Publication, Work } from '../store.ts'
import { functionsFor } from '../wire-checksum.ts'
import { errorOf } from './context.ts'
import { createGroup } from './group.ts'
import { checkId, copyName, copyPrefix, isUuid, type Layout, workOfCopy } from './layout.ts'
import type { Spools } from './spools.ts'
import type { Answer, PublishJob, TakeJob, Taken, TaskKind, Tasks } from './task.ts'

/** Fewer works than this are not worth a second thread. */
const WORKS_PER_THREAD = 16

export interface CopiesParts {
  readonly layout: Layout
  readonly spools: Spools
  /** Threads that `run` may use at once. */
  readonly size: number
  readonly run: <Kind extends TaskKind>(
    kind: Kind,
    ask: Tasks[Kind]['ask'],
    signal?: AbortSignal,
  ) => Promise<Tasks[Kind]['answer']>
}

interface Known {
  readonly copy: string
  readonly sha256: string
}

/**
 * The private copies of works: makes them from what was staged or spooled, and knows which there are. This process knows its
 * own, and the directory tells of others'.
 */
export class Copies {
  readonly #parts: CopiesParts
  /** By work and token: what this process prepared. */
  readonly #known = new Map<string, Known>()
  readonly #secure: (taken: Taken) => Promise<void>

  constructor(parts: CopiesParts) {
    this.#parts = parts
    // Calls that come together share a barrier.
    this.#secure = createGroup(async taken => {
      const answers = await parts.run(
        'secure',
        taken.map(({ copy, kind }) => ({ copy, kind })),
      )
      return answers.map(answer => (answer.ok ? undefined : errorOf(answer.error)))
    })
  }

  async prepare(works: readonly Work[], signal: AbortSignal | undefined): Promise<Outcome<Prepared>[]> {
    const jobs = await Promise.all(works.map(work => this.#jobFor(work)))
    const answers = await this.#takeAll(jobs, signal)
    return Promise.all(answers.map((answer, index) => outcomeOf(() => this.#secured(works[index]!, answer))))
  }

  /** Removes all copies of these works, whatever their tokens. */
  async discard(ids: readonly string[]): Promise<void> {
    const wanted = new Set(ids)
    for (const prefix of [...this.#known.keys()]) {
      if (wanted.has(prefix.slice(1, 33))) this.#known.delete(prefix)
    }
    const copies = (await this.#list()).filter(name => wanted.has(workOfCopy(name)!))
    if (copies.length > 0) await this.#parts.run('discard', copies)
  }

  /** They have their final names. */
  forget({ id, token }: Publication): void {
    this.#known.delete(copyPrefix(id, token))
  }

  async jobsFor(works: readonly Publication[]): Promise<PublishJob[]> {
    const isOthers = works.some(({ id, token }) => !this.#known.has(copyPrefix(id, token)))
    const listed = isOthers ? await this.#list() : []
    return works.map(work => {
      const prefix = copyPrefix(work.id, work.token)
      const known = this.#known.get(prefix)
      if (known) return { ...work, copies: [known.copy], isKnown: known.sha256 === work.sha256 }
      return { ...work, copies: listed.filter(name => name.startsWith(prefix)), isKnown: false }
    })
  }

  async ids(): Promise<Set<string>> {
    return new Set((await this.#list()).map(name => workOfCopy(name)!))
  }

  async #list(): Promise<string[]> {
    return (await readdir(this.#parts.layout.work)).filter(name => workOfCopy(name) !== undefined)
  }

  async #jobFor(work: Work): Promise<TakeJob> {
    const { id, token, origin, size, checksum } = work
    const copy = copyName(id, token, randomBytes(8).toString('hex'))
    if (origin.from === 'staging') {
      const segments = [origin.id, ...origin.uploadName.split('/')]
      if (!isUuid(origin.id) || segments.some(isDotted)) {
        throw new RangeError(`Cannot take ${JSON.stringify(origin.uploadName)}: no such name is staged`)
      }
      return { copy, what: origin.uploadName, from: 'staging', segments, size, checksum }
    }
    if (origin.from === 'memory') {
      const { bytes } = origin
      return { copy, what: `work ${id}`, from: 'memory', segments: [], bytes, size, checksum }
    }
    if (origin.from === 'place') {
      return { copy, what: origin.name, from: 'place', segments: origin.name.split('/'), size, checksum }
    }
    const { id: spool, archive } = origin
    // What was digested while it was written are the bytes of the archive, not those of the tree.
    const digests = await this.#parts.spools.seal(checkId(spool), functionsFor(checksum), size)
    const job = { copy, what: `spool ${spool}`, from: 'spool', segments: [spool], size, checksum } as const
    return archive === undefined ? { ...job, digests } : { ...job, archive }
  }

  /** On several threads where there are many; nothing of it is durable yet. */
  async #takeAll(jobs: readonly TakeJob[], signal: AbortSignal | undefined): Promise<Answer<Taken>[]> {
    const share = Math.max(WORKS_PER_THREAD, Math.ceil(jobs.length / this.#parts.size))
    const shares: TakeJob[][] = []
    for (let at = 0; at < jobs.length; at += share) shares.push(jobs.slice(at, at + share))
    const taken = await Promise.allSettled(shares.map(each => this.#parts.run('take', each, signal)))
    const failure = taken.find(each => each.status === 'rejected')
    if (!failure) return taken.flatMap(each => (each.status === 'fulfilled' ? each.value : []))
    // None of them was told of, so none may stay.
    await this.#parts
      .run(
        'discard',
        jobs.map(({ copy }) => copy),
      )
      .catch(() => {})
    throw failure.reason
  }

  async #secured(work: Work, answer: Answer<Taken>): Promise<Prepared> {
    if (!answer.ok) throw errorOf(answer.error)
    const { copy, ...prepared } = answer.value
    await this.#secure(answer.value)
    const prefix = copyPrefix(work.id, work.token)
    const before = this.#known.get(prefix)
    this.#known.set(prefix, { copy, sha256: prepared.sha256 })
    if (before) await this.#parts.run('discard', [before.copy])
    return prepared
  }
}

function isDotted(segment: string): boolean {
  return segment === '' || segment === '.' || segment === '..'
}
