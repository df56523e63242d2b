/** What a client has sent and was told, kept by itself: what a librarian is held to. */
import {
  type Acknowledged,
  type Content,
  contentAt,
  type Seen,
  sha256Of,
} from '../../../packages/librarian/test/check-invariants.ts'
import { checksumOf, isKept, type Sending, type Told, type Upload } from './client.ts'
import type { CommitWorkload } from './workloads.ts'

export type Whereabouts = ReadonlyMap<string, 'in place' | 'in the trash'>

export class Ledger {
  #acknowledged: Acknowledged[] = []
  /** By name, everything that was ever sent under it. */
  #sent = new Map<string, Upload[]>()
  /** What somebody has laid into the store, and nobody has registered yet, as far as was told. */
  #foreign = new Map<string, Upload>()
  /** Of copies that were moved, where they must be; of one whose move has an unknown end, nothing is said. */
  #whereabouts = new Map<string, 'in place' | 'in the trash'>()
  /** What lies in the place of bytes that are to be repaired; whether they were is not known. */
  #damaged = new Map<string, Content>()
  /** The same, of what was told to be repaired. */
  #repaired = new Map<string, Content>()
  #contradictions: string[] = []
  #isRebuilt = false
  /** Private copies that a rebuilt catalogue cannot explain, and leaves to a person. */
  #orphans = new Set<string>()

  get damaged(): ReadonlySet<string> {
    return new Set(this.#damaged.keys())
  }

  get repaired(): ReadonlyMap<string, Content> {
    return this.#repaired
  }

  get whereabouts(): Whereabouts {
    return this.#whereabouts
  }

  noteSending(workload: CommitWorkload, sendings: readonly Sending[]): void {
    for (const { upload, bad } of sendings) {
      const { name } = upload
      if (bad && !this.#repaired.has(name)) this.#damaged.set(name, bad)
      if (workload.moves) {
        this.#whereabouts.delete(name)
        continue
      }
      const sent = this.#sent.get(name) ?? []
      if (!sent.some(other => sha256Of(other.content) === sha256Of(upload.content))) sent.push(upload)
      this.#sent.set(name, sent)
      if (workload.isInPlace && !this.#acknowledged.some(other => other.name === name)) this.#foreign.set(name, upload)
    }
  }

  noteTold({ moves, isContested = false }: CommitWorkload, sendings: readonly Sending[], told: readonly Told[]): void {
    for (const [index, { upload, bad }] of sendings.entries()) {
      const one = told[index]!
      if (!isKept(one)) continue
      if (bad) this.#repaired.set(upload.name, bad)
      this.#damaged.delete(upload.name)
      this.#foreign.delete(upload.name)
      if (moves) this.#whereabouts.set(upload.name, moves.to)
      // That a name is taken says nothing about one's own bytes where several want it.
      else if (one.outcome === 'acknowledged' || !isContested) this.#remember(upload, one.outcome === 'acknowledged')
    }
  }

  /** From here on a sum may be the librarian's own, where its sender was never told that it is kept. */
  /** @param seen before any server: what the lost catalogue knew of private copies, nobody knows any more */
  noteRebuild({ stores }: Seen): void {
    this.#isRebuilt = true
    for (const { works } of stores) for (const id of works) this.#orphans.add(id)
  }

  /**
   * Bytes that are not registered yet lie there as they were laid, and damaged ones until they are repaired; the rest is the
   * librarian's, and what it has to answer for.
   */
  withoutForeign(seen: Seen): {
    readonly rest: Seen
    readonly acknowledged: readonly Acknowledged[]
    readonly broken: readonly string[]
  } {
    const broken = [...this.#contradictions]
    const [first, ...others] = seen.stores
    const disk = new Map(first!.disk)
    const bad = new Set<string>()
    for (const [name, content] of this.#damaged) {
      const met = contentAt(disk, name)
      if (!met) broken.push(`B5: ${name} was damaged, and is gone`)
      else if (sha256Of(met) !== sha256Of(content)) continue
      bad.add(name)
      for (const path of disk.keys()) if (path === name || path.startsWith(`${name}/`)) disk.delete(path)
    }
    for (const [name, { content }] of this.#foreign) {
      if (seen.files.some(file => file.name === name)) continue
      const met = contentAt(disk, name)
      if (!met) broken.push(`A6: ${name} was laid into the store, and is gone`)
      else if (sha256Of(met) !== sha256Of(content)) broken.push(`A6: ${name} was laid into the store, and was changed`)
      for (const path of disk.keys()) if (path === name || path.startsWith(`${name}/`)) disk.delete(path)
    }
    const stores = [{ ...first!, disk }, ...others].map(store => ({
      ...store,
      works: store.works.filter(id => !this.#orphans.has(id)),
    }))
    const isJudged = (name: string) => !bad.has(name)
    const rest: Seen = {
      ...seen,
      files: seen.files.filter(({ name }) => isJudged(name)),
      instances: seen.instances.filter(({ file_name }) => isJudged(file_name)),
      transfers: seen.transfers.filter(({ store_path }) => isJudged(store_path)),
      stores,
    }
    return { rest, acknowledged: this.#acknowledged.filter(({ name }) => isJudged(name)), broken }
  }

  /** Rows of what nobody has sent. */
  invented({ files }: Seen): string[] {
    const broken: string[] = []
    for (const { name, sha256 } of files) {
      const sent = this.#sent.get(name)
      if (!sent) broken.push(`G1: ${name} has a row, and nobody has sent it`)
      else if (!sent.some(({ content }) => sha256Of(content) === sha256))
        broken.push(`A4: ${name} has bytes that nobody has sent`)
    }
    return broken
  }

  copy(): Ledger {
    const copy = new Ledger()
    copy.becomes(this)
    return copy
  }

  becomes(other: Ledger): void {
    this.#acknowledged = [...other.#acknowledged]
    // What was sent stays so: it may arrive late, from a librarian that goes back to nothing.
    for (const [name, sent] of other.#sent) this.#sent.set(name, [...sent])
    this.#foreign = new Map(other.#foreign)
    this.#whereabouts = new Map(other.#whereabouts)
    this.#damaged = new Map(other.#damaged)
    this.#repaired = new Map(other.#repaired)
    this.#contradictions = [...other.#contradictions]
    this.#isRebuilt = other.#isRebuilt
    this.#orphans = new Set(other.#orphans)
  }

  #remember({ name, content }: Upload, isOwn: boolean): void {
    const known = this.#acknowledged.find(other => other.name === name)
    if (known) {
      if (sha256Of(known.content) !== sha256Of(content))
        this.#contradictions.push(`A4: ${name} was acknowledged with two contents`)
      return
    }
    const isSendersSum = isOwn || !this.#isRebuilt
    this.#acknowledged.push({ name, content, ...(isSendersSum ? { checksum: checksumOf(content) } : {}) })
  }
}
