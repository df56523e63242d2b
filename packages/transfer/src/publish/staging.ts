import { mkdir, readdir, rmdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { diskError } from '../disk-error.ts'
import { formatOwner, lifeOf, newOwner, parseOwner } from '../owner.ts'
import { makeDirectory } from './directories.ts'

const NAME = '.arriero'

/**
 * The private directory where small files are written before they get their final names (reliability 7.7). Names carry
 * their owner, so that what a killed process left can be told from what a living one is writing.
 */
export class Staging {
  readonly root: string
  readonly directory: string
  readonly #prefix: string
  #next = 0
  #ready: Promise<void> | undefined
  #isReady = false
  #tidied: Promise<void> | undefined

  constructor(root: string) {
    this.root = root
    this.directory = join(root, NAME)
    this.#prefix = formatOwner(newOwner())
  }

  /** Makes the directory and sweeps it; undefined when that was done already. */
  prepare(): Promise<void> | undefined {
    if (this.#isReady) return undefined
    this.#ready ??= this.#make().then(() => {
      this.#isReady = true
    })
    return this.#ready
  }

  /** A name that nobody else uses. */
  next(): string {
    return join(this.directory, `${this.#prefix}.${(this.#next++).toString(36)}`)
  }

  /** Sweeps the directory if there is one: where nothing is fetched, nobody else would. */
  tidy(): Promise<void> {
    this.#tidied ??= (this.#ready ?? this.#sweep()).catch(() => {})
    return this.#tidied
  }

  /** Removes the directory unless somebody else is using it. */
  async close(): Promise<void> {
    if (this.#isReady || this.#tidied) await rmdir(this.directory).catch(() => {})
  }

  async #make(): Promise<void> {
    await makeDirectory(this.root)
    try {
      await mkdir(this.directory, { mode: 0o700 })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw diskError(error, 'create', this.directory)
    }
    await this.#sweep().catch(error => {
      // Another process was done with it and found it empty: who writes makes it again.
      if (error.code !== 'ENOENT') throw diskError(error, 'use', this.directory)
    })
  }

  async #sweep(): Promise<void> {
    for (const name of await readdir(this.directory)) {
      const owner = name.split('.').length === 5 ? parseOwner(name) : undefined
      if (owner && lifeOf(owner) === 'dead') await unlink(join(this.directory, name)).catch(() => {})
    }
  }
}
