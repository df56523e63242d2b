/**
 * The order checker (reliability 4 O): reads the calls of a run and says where something was named or acknowledged
 * before what it stands on was on stable storage. A file system that happens to write more than it promised, as ext4
 * does, hides such faults from every other test.
 *
 *     content    a link or rename only of a file whose every write is covered by a later sync
 *     name       an acknowledgement only after a sync of the directory that holds the name
 *     parents    and, for each directory made in this run, of the directory that holds it
 *
 * What an earlier run left counts as not synced: nobody knows.
 */
import { dirname, resolve } from 'node:path'
import { type Call, isCreating, isDone, writtenText } from './calls.ts'

export interface OrderOptions {
  /** Working directory of the program. */
  readonly home: string
  /** Final names that must have been acknowledged, absolute. */
  readonly names: readonly string[]
  /** Names that this call acknowledges. Default: only the end of the run acknowledges. */
  readonly acknowledged?: ((call: Call) => readonly string[]) | undefined
  /** There before this run, synced by nobody. */
  readonly left?: readonly string[]
}

interface File {
  /** Begin and end of each change of its content. */
  changes: { readonly begin: number; readonly end: number; readonly what: string }[]
}

interface Sync {
  readonly begin: number
  readonly end: number
}

interface Change extends Sync {
  readonly what: string
}

export function checkOrder(calls: readonly Call[], options: OrderOptions): string[] {
  return new OrderChecker(options).check(calls)
}

class OrderChecker {
  readonly #o: OrderOptions
  readonly #files = new Map<string, File>()
  /** Syncs of one path's content or entries. */
  readonly #syncs = new Map<string | File, Sync[]>()
  /** Syncs of everything. */
  readonly #barriers: Sync[] = []
  /** The latest change of the entry of a path. */
  readonly #entries = new Map<string, Change>()
  readonly #problems: string[] = []

  constructor(options: OrderOptions) {
    this.#o = options
    for (const path of options.left ?? []) {
      const before = { begin: -1, end: -1, what: 'was left by an earlier run' }
      this.#entries.set(path, before)
      this.#files.set(path, { changes: [before] })
    }
  }

  check(calls: readonly Call[]): string[] {
    // A sync counts from its end: only then may others rely on it.
    const ours = calls.filter(call => isDone(call) && this.#concerns(call))
    const byEffect = ours.sort((a, b) => (isSync(a) ? a.end : a.begin) - (isSync(b) ? b.end : b.begin))
    const acknowledged = new Set<string>()
    for (const call of byEffect) {
      this.#apply(call)
      for (const name of this.#o.acknowledged?.(call) ?? []) {
        acknowledged.add(name)
        this.#assertDurable(name, call.begin, 'it was acknowledged')
      }
    }
    const end = Math.max(...byEffect.map(call => call.begin)) + 1
    for (const name of this.#o.names) {
      if (this.#o.acknowledged && !acknowledged.has(name)) this.#problems.push(`${name} was never acknowledged`)
      this.#assertDurable(name, end, 'the program ended')
    }
    return [...new Set(this.#problems)]
  }

  /** Elsewhere, e.g. in Node's cache of compiled code, nothing is promised. */
  #concerns({ paths: [path = ''] }: Call): boolean {
    const { home } = this.#o
    return resolve(home, path).startsWith(home)
  }

  #apply(call: Call): void {
    const { name, begin, end } = call
    const [first = '', second = ''] = call.paths.map(path => resolve(this.#o.home, path))
    const change = { begin, end, what: `${name} at line ${begin + 1}` }
    if (isCreating(call)) {
      if (!this.#files.has(first) || call.args.includes('O_EXCL')) this.#files.set(first, { changes: [] })
      this.#entries.set(first, change)
    } else if (isWrite(call) || name === 'ftruncate' || name === 'fallocate') {
      this.#files.get(first)?.changes.push(change)
    } else if (name === 'fsync' || name === 'fdatasync') {
      // A directory is known by its path; a file by itself, since its names share its syncs.
      for (const key of [first, this.#files.get(first)]) {
        if (key) this.#syncs.set(key, [...(this.#syncs.get(key) ?? []), { begin, end }])
      }
    } else if (name === 'syncfs' || name === 'sync') {
      this.#barriers.push({ begin, end })
    } else if (name.startsWith('link') || name.startsWith('rename')) {
      this.#assertSynced(first, second, begin, name)
      const file = this.#files.get(first)
      if (file) this.#files.set(second, file)
      this.#entries.set(second, change)
      if (name.startsWith('rename')) this.#files.delete(first)
    } else if (name.startsWith('mkdir')) {
      this.#entries.set(first, change)
    } else if (name.startsWith('unlink') && this.#files.has(first)) {
      this.#files.delete(first)
      this.#entries.delete(first)
    }
  }

  #assertSynced(from: string, to: string, at: number, name: string): void {
    const file = this.#files.get(from)
    if (!file) return
    const dirty = file.changes.find(change => !this.#isCovered(change, file, at))
    if (dirty) this.#problems.push(`${name} of ${from} to ${to} at line ${at + 1}: ${dirty.what} was not synced`)
  }

  #assertDurable(path: string, at: number, why: string): void {
    const file = this.#files.get(path)
    if (!file) {
      this.#problems.push(`${path} was acknowledged (${why}) and is not there`)
      return
    }
    const dirty = file.changes.find(change => !this.#isCovered(change, file, at))
    if (dirty) this.#problems.push(`${path}: content not synced (${dirty.what}) when ${why}`)
    for (let name = path; name !== dirname(name); name = dirname(name)) {
      const entry = this.#entries.get(name)
      if (!entry || this.#isCovered(entry, dirname(name), at)) continue
      this.#problems.push(`${dirname(name)} not synced after ${entry.what} of ${name} when ${why}`)
    }
  }

  #isCovered(change: Sync, key: string | File, at: number): boolean {
    const covers = (sync: Sync) => sync.begin > change.end && sync.end < at
    return this.#barriers.some(covers) || (this.#syncs.get(key) ?? []).some(covers)
  }
}

function isSync({ name }: Call): boolean {
  return /sync/.test(name)
}

function isWrite({ name }: Call): boolean {
  return /^p?write/.test(name)
}

/** Names that rows of `--json` acknowledge, where they are printed. */
export function rowsOn(stdout: string): (call: Call) => readonly string[] {
  return call => (isWrite(call) && call.paths[0] === stdout ? rowsIn(writtenText(call)) : [])
}

/** Paths of the rows that tell success. */
function rowsIn(text: string): string[] {
  const paths: string[] = []
  for (const line of text.split('\n')) {
    const row = parse(line)
    if (row?.ok === true && typeof row.path === 'string') paths.push(row.path)
  }
  return paths
}

function parse(line: string): { ok?: unknown; path?: unknown } | undefined {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
