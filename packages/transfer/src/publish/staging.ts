import { mkdir, readdir, rmdir, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { diskError } from '../disk-error.ts'
import type { Owner } from '../journal.ts'
import { lifeOf, newOwner } from '../owner.ts'
import { makeDirectory } from './directories.ts'

const NAME = '.arriero'

/**
 * The private directory where small files are written before they get their final names (reliability 7.7). Names carry
 * their owner, so that what a killed process left can be told from what a living one is writing.
 */
export class Staging {
  readonly directory: string
  readonly #prefix: string
  #next = 0
  #ready: Promise<void> | undefined
  #isReady = false

  constructor(root: string) {
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

  /** Removes the directory unless somebody else is using it. */
  async close(): Promise<void> {
    if (this.#isReady) await rmdir(this.directory).catch(() => {})
  }

  async #make(): Promise<void> {
    await makeDirectory(dirname(this.directory))
    try {
      await mkdir(this.directory, { mode: 0o700 })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw diskError(error, 'create', this.directory)
    }
    for (const name of await readdir(this.directory)) {
      const owner = parseOwner(name)
      if (owner && lifeOf(owner) === 'dead') await unlink(join(this.directory, name)).catch(() => {})
    }
  }
}

function formatOwner({ host, pid, start, token }: Owner): string {
  return [Buffer.from(host).toString('base64url'), pid, start, token].join('.')
}

function parseOwner(name: string): Owner | undefined {
  const [host, pid, start, token, number] = name.split('.')
  if (!host || !pid || !start || !token || number === undefined || !/^\d+$/.test(pid)) return undefined
  return { host: Buffer.from(host, 'base64url').toString(), pid: Number(pid), start, token }
}
