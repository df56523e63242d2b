/**
 * `SHA256SUMS`: with our software gone, `sha256sum -c .arriero/SHA256SUMS` from the store's root checks everything
 * (reliability G2).
 *
 * Several processes work on one list and know nothing of each other, and each may be killed or stopped at any instant, so the
 * list is never written anew: whoever replaced it would lose what others append meanwhile, and a lock against that can only be
 * as good as the guess that its holder is dead. There are two ways to change it, and no order of them loses a line:
 * - Lines are appended, each piece in one write with O_APPEND, which the kernel puts behind all that is there; then read back,
 *   and appended again where the one before was torn. The place of a line never changes.
 * - A line is struck out by one byte: its first becomes `#`, and coreutils take it for a comment. To do it again changes
 *   nothing, and one byte cannot be torn. Which lines go was fixed when their name was removed, with the length of the list
 *   then: a line that was appended since is never among them, whoever strikes out, however late.
 *
 * So the list grows with all that was ever kept, as the trail does. Removals are noted durably beside it, and many struck out
 * together, because that reads the list. On NFS, which has no O_APPEND between hosts, hosts that append in the same instant
 * can overwrite each other after both have read back.
 */
import { createReadStream } from 'node:fs'
import { lstat, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { TrailRecord } from '../store.ts'
import { appendLines, endTornLine } from './append-lines.ts'
import { noteRemovals, takeNotes } from './removal-notes.ts'
import { strikeOut } from './strike-out.ts'
import { linesOf, nameOf } from './sums-line.ts'
import { codeOf } from './system-error.ts'

/** How long removals are gathered, ms. */
const GATHER_MS = 5000

/** So many are struck out with one sync. */
const STROKES = 4096

export class Sums {
  readonly #path: string
  #timer: NodeJS.Timeout | undefined
  /** Names of lines that are there, while lists are completed. */
  #listed: Set<string> | undefined
  #last: Promise<void> = Promise.resolve()

  constructor(path: string) {
    this.#path = path
  }

  /** Durable when it resolves. */
  note(records: readonly TrailRecord[]): Promise<void> {
    return this.#inTurn(async () => {
      for (const run of runsOf(records)) {
        if (run.isAdded) await appendLines(this.#path, run.records.flatMap(linesOf))
        else await this.#remove(run.records)
      }
    })
  }

  /** Adds lines that are missing of these, which are kept; durable when it resolves. Holds every name until `flush`. */
  complete(records: readonly TrailRecord[]): Promise<void> {
    return this.#inTurn(async () => {
      this.#listed ??= await this.#namesListed()
      const listed = this.#listed
      const missing = records.flatMap(linesOf).filter(line => !listed.has(nameOf(line.slice(0, -1))))
      await appendLines(this.#path, missing)
      for (const line of missing) listed.add(nameOf(line.slice(0, -1)))
    })
  }

  /** Strikes out what was removed, by whomever, and what is torn. */
  flush(): Promise<void> {
    return this.#inTurn(async () => {
      clearTimeout(this.#timer)
      this.#timer = undefined
      this.#listed = undefined
      await endTornLine(this.#path)
      const notes = await takeNotes(this.#removedPath)
      await this.#strike(notes.removed)
      await notes.drop()
    })
  }

  async #namesListed(): Promise<Set<string>> {
    const names = new Set<string>()
    for await (const { line } of linesOfFile(this.#path)) if (!line.startsWith('#')) names.add(nameOf(line))
    return names
  }

  #inTurn(act: () => Promise<void>): Promise<void> {
    const mine = this.#last.then(act)
    this.#last = mine.catch(() => {})
    return mine
  }

  async #remove(records: readonly TrailRecord[]): Promise<void> {
    const names = records.map(({ name }) => name)
    await noteRemovals(this.#removedPath, names, await sizeOf(this.#path))
    this.#timer ??= setTimeout(() => void this.flush().catch(() => {}), GATHER_MS).unref()
  }

  async #strike(removed: ReadonlyMap<string, number>): Promise<void> {
    if (removed.size === 0) return
    const present = await this.#presentOf([...removed.keys()])
    const latest = new Map<string, number>()
    let places: number[] = []
    for await (const { start, line } of linesOfFile(this.#path)) {
      const name = line.startsWith('#') ? '' : nameOf(line)
      const root = rootOf(name, removed)
      if (root === undefined) continue
      const isThere = present.has(root)
      const place = isThere ? latest.get(name) : start
      if (isThere) latest.set(name, start)
      if (place === undefined || (!isThere && place >= removed.get(root)!)) continue
      places.push(place)
      if (places.length < STROKES) continue
      await strikeOut(this.#path, places)
      places = []
    }
    await strikeOut(this.#path, places)
  }

  /**
   * What is there keeps its last line whatever the notes say: a process that was taken for dead may wake and note a removal that
   * another has undone.
   */
  async #presentOf(names: readonly string[]): Promise<ReadonlySet<string>> {
    const root = dirname(dirname(this.#path))
    const present = new Set<string>()
    for (const name of names) if (await lstat(join(root, name)).catch(() => undefined)) present.add(name)
    return present
  }

  get #removedPath(): string {
    return `${this.#path}.removed`
  }
}

/** In order: what is removed after it was added is removed. */
function runsOf(records: readonly TrailRecord[]): { isAdded: boolean; records: TrailRecord[] }[] {
  const runs: { isAdded: boolean; records: TrailRecord[] }[] = []
  for (const record of records) {
    if (record.action === 'purge' || record.action === 'repair') continue
    const isAdded = record.action !== 'trash'
    const run = runs.at(-1)
    if (run?.isAdded === isAdded) run.records.push(record)
    else runs.push({ isAdded, records: [record] })
  }
  return runs
}

/** What was removed that this is, or lies in. */
function rootOf(name: string, removed: ReadonlyMap<string, number>): string | undefined {
  for (let at = name.length; at > 0; at = name.lastIndexOf('/', at - 1)) {
    const root = name.slice(0, at)
    if (removed.has(root)) return root
  }
  return undefined
}

/** Those that have an end, and where they begin. */
async function* linesOfFile(path: string): AsyncGenerator<{ start: number; line: string }> {
  const size = await sizeOf(path)
  if (size === 0) return
  let rest: Buffer = Buffer.alloc(0)
  let start = 0
  for await (const chunk of createReadStream(path, { end: size - 1, highWaterMark: 1 << 20 })) {
    const bytes = Buffer.concat([rest, chunk as Buffer])
    let from = 0
    for (let to = bytes.indexOf(0x0a); to >= 0; to = bytes.indexOf(0x0a, from)) {
      yield { start: start + from, line: bytes.toString('utf8', from, to) }
      from = to + 1
    }
    start += from
    rest = bytes.subarray(from)
  }
}

async function sizeOf(path: string): Promise<number> {
  const there = await stat(path).catch(error => {
    if (codeOf(error) !== 'ENOENT') throw error
  })
  return there?.size ?? 0
}
