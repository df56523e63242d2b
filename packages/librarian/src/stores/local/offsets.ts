/**
 * What of each spool is known to be durable, for after a restart: a file of JSON lines for each process. A spool's own size
 * says nothing, since a power cut may leave a size without the bytes.
 */
import { randomBytes } from 'node:crypto'
import { open, readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { createGroup } from './group.ts'
import { syncDirectory } from './sync-directory.ts'

const PREFIX = '.offsets-'

/** A longer file is begun anew with what still counts. */
const LONG = 8 << 20

/** Files of other processes, when all that they speak of is gone. ms. */
const OLD_MS = 7 * 86_400_000

interface Told {
  readonly id: string
  readonly offset: number
}

export class Offsets {
  readonly #directory: string
  readonly #mine = new Map<string, number>()
  readonly #write: (told: Told) => Promise<void>
  #name: string | undefined
  #size = 0

  constructor(directory: string) {
    this.#directory = directory
    this.#write = createGroup(async told => {
      await this.#append(told)
      return []
    })
  }

  /** Durable when it resolves, together with the names of new spools. Bytes themselves must be durable before. */
  async tell(id: string, offset: number): Promise<void> {
    this.#mine.set(id, offset)
    await this.#write({ id, offset })
  }

  /** 0: nothing is known. */
  async find(id: string): Promise<number> {
    const mine = this.#mine.get(id)
    if (mine !== undefined) return mine
    let found = 0
    for (const name of await this.#files()) {
      for (const told of await this.#read(name)) if (told.id === id) found = told.offset
    }
    return found
  }

  /** A spool that begins anew must not be given the offset of the one before. */
  async forget(id: string): Promise<void> {
    if (this.#mine.get(id)) await this.tell(id, 0)
    this.#mine.delete(id)
  }

  /** Removes files of which nothing counts any more. */
  async sweep(spools: ReadonlySet<string>, now: number): Promise<void> {
    for (const name of await this.#files()) {
      const path = join(this.#directory, name)
      const isOld = now - ((await stat(path).catch(() => undefined))?.mtimeMs ?? now) > OLD_MS
      if (name === this.#name || !isOld) continue
      if (!(await this.#read(name)).some(({ id }) => spools.has(id))) await rm(path, { force: true })
    }
  }

  /** In the order in which they were begun. */
  async #files(): Promise<string[]> {
    return (await readdir(this.#directory)).filter(name => name.startsWith(PREFIX)).sort()
  }

  async #read(name: string): Promise<Told[]> {
    const text = await readFile(join(this.#directory, name), 'utf8').catch(() => '')
    // The last line may be torn: what it tells was never told to anyone.
    return text
      .slice(0, text.lastIndexOf('\n') + 1)
      .split('\n')
      .flatMap(line => (line === '' ? [] : [JSON.parse(line) as Told]))
  }

  async #append(told: readonly Told[]): Promise<void> {
    const isNew = this.#name === undefined || this.#size > LONG
    const before = this.#name
    if (isNew) this.#name = `${PREFIX}${String(Date.now()).padStart(15, '0')}-${randomBytes(8).toString('hex')}`
    const lines = isNew ? [...this.#mine].map(([id, offset]) => ({ id, offset })) : told
    const text = lines.map(({ id, offset }) => `${JSON.stringify({ id, offset })}\n`).join('')
    const file = await open(join(this.#directory, this.#name!), isNew ? 'ax' : 'a', 0o600)
    try {
      await file.writeFile(text)
      await file.datasync()
    } catch (error) {
      // How much of it is there nobody knows: the next one begins anew.
      this.#name = undefined
      throw error
    } finally {
      await file.close()
    }
    await syncDirectory(this.#directory)
    this.#size = (isNew ? 0 : this.#size) + text.length
    if (isNew && before !== undefined) await rm(join(this.#directory, before), { force: true })
  }
}
