/**
 * `SHA256SUMS`: with our software gone, `sha256sum -c .arriero/SHA256SUMS` from the store's root checks everything
 * (reliability G2).
 *
 * Commits append to it. Removals are noted durably beside it and taken out later, many at once, because that means to write it
 * anew. So are torn lines: a power cut or a full disk may leave the last one without its end.
 */
import { createReadStream } from 'node:fs'
import { type FileHandle, open, readFile, rename, rm } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import type { TrailRecord } from '../store.ts'
import { syncDirectory } from './sync-directory.ts'
import { codeOf } from './system-error.ts'

/** How long removals are gathered, ms. */
const GATHER_MS = 5000

/** Ends a torn line, for what is appended to be a line of its own; no name has such a character. */
const TORN = '\u0001\n'

/** A whole line of a check list. */
const wholeLine = /^\\?[0-9a-f]{64} {2}[^\u0000-\u0008]+$/

export class Sums {
  readonly #path: string
  readonly #removed = new Set<string>()
  #hasLooked = false
  #isTorn = false
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

  /** Takes out what was removed, and what is torn. */
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

  /** What a process before us had removed and not taken out, and whether its last line has an end. */
  async #look(): Promise<void> {
    if (this.#hasLooked) return
    const text = await readFile(this.#removedPath, 'utf8').catch(() => '')
    for (const line of text.split('\n')) if (line !== '') this.#removed.add(unescapeName(line))
    const file = await openIfThere(this.#path)
    if (file) {
      this.#isTorn = await isTorn(file)
      await file.close()
    }
    this.#hasLooked = true
  }

  async #add(records: readonly TrailRecord[]): Promise<void> {
    // A name that comes again must not lose its new line with the old one.
    if (records.some(({ name }) => this.#removed.has(name))) await this.#rewrite()
    const text = records.flatMap(linesOf).join('')
    if (text !== '') await this.#append(text)
    if (this.#isTorn) await this.#rewrite()
  }

  async #append(text: string): Promise<void> {
    for (;;) {
      const { isThere, wasTorn } = await append(this.#path, text).catch(error => {
        this.#isTorn = true
        throw error
      })
      this.#isTorn ||= wasTorn
      if (isThere) return
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
    if (this.#removed.size === 0 && !this.#isTorn) return
    const old = await openIfThere(this.#path)
    if (old) await this.#replace(old).finally(() => old.close())
    await rm(this.#removedPath, { force: true })
    this.#removed.clear()
    this.#isTorn = false
  }

  async #replace(old: FileHandle): Promise<void> {
    const { size } = await old.stat()
    const temporary = `${this.#path}.new`
    await this.#copyKept(old, size, temporary)
    await rename(temporary, this.#path)
    await syncDirectory(this.#path.replace(/\/[^/]*$/, ''))
    // What another process appended while we copied, it takes for kept.
    const late = await wholeLinesOf(old, size)
    if (late !== '') await this.#append(late)
  }

  async #copyKept(old: FileHandle, size: number, temporary: string): Promise<void> {
    // Before the reading begins: lines that nobody waits for yet are lost.
    const lastIsWhole = !(await isTorn(old))
    const file = await open(temporary, 'w', 0o600)
    try {
      let lines: string[] = []
      const input = { fd: old.fd, start: 0, end: size - 1, autoClose: false, encoding: 'utf8' } as const
      const kept = size === 0 ? [] : createInterface({ input: createReadStream('', input) })
      let last: string | undefined
      for await (const line of kept) {
        if (last !== undefined) lines.push(...this.#keptOf(last))
        last = line
        if (lines.length < 4096) continue
        await file.writeFile(lines.join(''))
        lines = []
      }
      if (last !== undefined && lastIsWhole) lines.push(...this.#keptOf(last))
      await file.writeFile(lines.join(''))
      await file.sync()
    } finally {
      await file.close()
    }
  }

  #keptOf(line: string): string[] {
    return wholeLine.test(line) && !this.#isRemoved(line) ? [`${line}\n`] : []
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

interface Appended {
  /** False: it was replaced while we wrote, and what we wrote may be lost. */
  readonly isThere: boolean
  /** What was the last line before had no end. */
  readonly wasTorn: boolean
}

async function append(path: string, text: string): Promise<Appended> {
  const file = await open(path, 'a+', 0o600)
  try {
    const wasTorn = await isTorn(file)
    await file.writeFile(wasTorn ? TORN + text : text)
    await file.datasync()
    return { isThere: (await file.stat()).nlink > 0, wasTorn }
  } catch (error) {
    if (codeOf(error) !== undefined) await file.sync().catch(() => {})
    throw error
  } finally {
    await file.close()
  }
}

async function isTorn(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat()
  if (size === 0) return false
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1)
  return buffer[0] !== 0x0a
}

/** Behind a place, up to the last end of a line. */
async function wholeLinesOf(file: FileHandle, start: number): Promise<string> {
  const { size } = await file.stat()
  if (size <= start) return ''
  const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), 0, size - start, start)
  const text = buffer.toString('utf8', 0, bytesRead)
  return text.slice(0, text.lastIndexOf('\n') + 1)
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  return await open(path, 'r').catch(error => {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  })
}
