/**
 * What of each spool is known to be durable, for after a restart: a file of JSON lines for each process. A spool's own size
 * says nothing, since a power cut may leave a size without the bytes.
 *
 * Where several processes write, one after another, the line of the highest turn counts, and of one turn the last. Without
 * turns, files count in the order in which they were begun.
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
  /** Of the process among those that write it; absent: there are no others. */
  readonly turn?: number
}

export class Offsets {
  readonly #directory: string
  readonly #mine = new Map<string, Told>()
  readonly #write: (told: Told) => Promise<void>
  /** To be told with the next line that must be durable. */
  #late: Told[] = []
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
  async tell(id: string, offset: number, turn = 0): Promise<void> {
    const told = turn === 0 ? { id, offset } : { id, offset, turn }
    this.#mine.set(id, told)
    await this.#write(told)
  }

  /**
   * For whoever is about to write. 0: nothing is known.
   *
   * @param turn what this process remembers counts if it is the one before, or if there are no turns
   */
  async find(id: string, turn = 0): Promise<number> {
    const mine = this.#mine.get(id)
    if (mine && (turn === 0 || mine.turn === turn - 1)) return mine.offset
    if (turn > 0) this.#mine.delete(id)
    return await this.look(id)
  }

  /** As all processes have told. */
  async look(id: string): Promise<number> {
    const mine = this.#mine.get(id)
    if (mine && mine.turn === undefined) return mine.offset
    let found: Told | undefined
    for (const name of await this.#files()) {
      for (const told of await this.#read(name)) {
        if (told.id === id && (told.turn ?? 0) >= (found?.turn ?? 0)) found = told
      }
    }
    return found?.offset ?? 0
  }

  /** A spool that begins anew must not be given the offset of the one before, whoever told that. */
  async begin(id: string, turn = 0): Promise<void> {
    await this.tell(id, 0, turn)
    this.#mine.delete(id)
  }

  /** It is gone for good. Told with the next one that is told: a sync of its own would buy nothing. */
  forget(id: string): void {
    const mine = this.#mine.get(id)
    if (mine && mine.offset > 0) this.#late.push({ ...mine, offset: 0 })
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
    const late = this.#late
    this.#late = []
    const lines = isNew ? [...this.#mine.values()] : [...late, ...told]
    const text = lines.map(line => `${JSON.stringify(line)}\n`).join('')
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
