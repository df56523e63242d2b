/**
 * `SHA256SUMS`: with our software gone, `sha256sum -c .arriero/SHA256SUMS` from the store's root checks everything
 * (reliability G2).
 *
 * Commits append to it. Removals are noted durably beside it and taken out later, many at once, because that means to write it
 * anew.
 */
import { createReadStream } from 'node:fs'
import { open, readFile, rename, rm, stat } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import type { TrailRecord } from '../store.ts'
import { syncDirectory } from './sync-directory.ts'
import { codeOf } from './system-error.ts'

/** How long removals are gathered, ms. */
const GATHER_MS = 5000

export class Sums {
  readonly #path: string
  readonly #removed = new Set<string>()
  #hasLooked = false
  #timer: NodeJS.Timeout | undefined
  #last: Promise<void> = Promise.resolve()

  constructor(path: string) {
    this.#path = path
  }

  /** Durable when it resolves. */
  note(records: readonly TrailRecord[]): Promise<void> {
    return this.#inTurn(async () => {
      await this.#look()
      for (const run of runsOf(records)) {
        if (run.isAdded) await this.#add(run.records)
        else await this.#remove(run.records)
      }
    })
  }

  /** Takes out what was removed. */
  flush(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#look()
      await this.#rewrite()
    })
  }

  #inTurn(act: () => Promise<void>): Promise<void> {
    const mine = this.#last.then(act)
    this.#last = mine.catch(() => {})
    return mine
  }

  /** What a process before us had removed and not taken out. */
  async #look(): Promise<void> {
    if (this.#hasLooked) return
    const text = await readFile(this.#removedPath, 'utf8').catch(() => '')
    for (const line of text.split('\n')) if (line !== '') this.#removed.add(unescapeName(line))
    this.#hasLooked = true
  }

  async #add(records: readonly TrailRecord[]): Promise<void> {
    // A name that comes again must not lose its new line with the old one.
    if (records.some(({ name }) => this.#removed.has(name))) await this.#rewrite()
    const text = records.flatMap(linesOf).join('')
    if (text === '') return
    while (!(await append(this.#path, text))) {
      // Another process has replaced it meanwhile.
    }
  }

  async #remove(records: readonly TrailRecord[]): Promise<void> {
    await append(this.#removedPath, records.map(({ name }) => `${escapeName(name).text}\n`).join(''))
    for (const { name } of records) this.#removed.add(name)
    this.#timer ??= setTimeout(() => void this.flush().catch(() => {}), GATHER_MS).unref()
  }

  async #rewrite(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#removed.size === 0) return
    const temporary = `${this.#path}.new`
    const size = await this.#copyKept(temporary)
    if (size !== undefined) {
      await rename(temporary, this.#path)
      await syncDirectory(this.#path.replace(/\/[^/]*$/, ''))
    }
    await rm(this.#removedPath, { force: true })
    this.#removed.clear()
  }

  /** Undefined: there is nothing to copy. */
  async #copyKept(temporary: string): Promise<number | undefined> {
    if (!(await stat(this.#path).catch(() => undefined))) return undefined
    const file = await open(temporary, 'w', 0o600)
    try {
      let lines: string[] = []
      for await (const line of createInterface({ input: createReadStream(this.#path, 'utf8') })) {
        if (!this.#isRemoved(line)) lines.push(`${line}\n`)
        if (lines.length < 4096) continue
        await file.write(lines.join(''))
        lines = []
      }
      await file.write(lines.join(''))
      await file.sync()
      return (await file.stat()).size
    } finally {
      await file.close()
    }
  }

  #isRemoved(line: string): boolean {
    const name = nameOf(line)
    if (this.#removed.has(name)) return true
    for (let at = name.lastIndexOf('/'); at > 0; at = name.lastIndexOf('/', at - 1)) {
      if (this.#removed.has(name.slice(0, at))) return true
    }
    return false
  }

  get #removedPath(): string {
    return `${this.#path}.removed`
  }
}

/** In order: what is removed after it was added is removed. */
function runsOf(records: readonly TrailRecord[]): { isAdded: boolean; records: TrailRecord[] }[] {
  const runs: { isAdded: boolean; records: TrailRecord[] }[] = []
  for (const record of records) {
    if (record.action === 'purge') continue
    const isAdded = record.action !== 'trash'
    const run = runs.at(-1)
    if (run?.isAdded === isAdded) run.records.push(record)
    else runs.push({ isAdded, records: [record] })
  }
  return runs
}

function linesOf({ name, kind, sha256, manifest }: TrailRecord): string[] {
  if (kind === 'file') return sha256 === null ? [] : [lineOf(sha256, name)]
  return (manifest ?? '').split('\n').flatMap(line => {
    const member = line === '' ? undefined : (JSON.parse(line) as { type: string; path: string; sha256: string })
    return member?.type === 'file' ? [lineOf(member.sha256, `${name}/${member.path}`)] : []
  })
}

function lineOf(sha256: string, name: string): string {
  const { text, isEscaped } = escapeName(name)
  return `${isEscaped ? '\\' : ''}${sha256}  ${text}\n`
}

function nameOf(line: string): string {
  return line.startsWith('\\') ? unescapeName(line.slice(67)) : line.slice(66)
}

/** As coreutils do. */
function escapeName(name: string): { text: string; isEscaped: boolean } {
  const text = name.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r')
  return { text, isEscaped: text !== name }
}

function unescapeName(text: string): string {
  return text.replace(/\\([\\nr])/g, (_, letter: string) => (letter === 'n' ? '\n' : letter === 'r' ? '\r' : '\\'))
}

/** False: it was replaced while we wrote, and what we wrote may be lost. */
async function append(path: string, text: string): Promise<boolean> {
  const file = await open(path, 'a', 0o600)
  try {
    await file.writeFile(text)
    await file.datasync()
    return (await file.stat()).nlink > 0
  } catch (error) {
    if (codeOf(error) !== undefined) await file.sync().catch(() => {})
    throw error
  } finally {
    await file.close()
  }
}
