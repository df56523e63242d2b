import { constants } from 'node:fs'
import { copyFile, type FileHandle, lstat, open, readdir, rename, rm, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { createHashPool, type PathDigests, type PathFunction, Slots } from '@arriero/transfer'
import type { SpoolOptions } from '../store.ts'
import { createGroup, settleEach } from './group.ts'
import { checkId, type Layout } from './layout.ts'
import { Offsets } from './offsets.ts'
import { isSealedMode } from './sealed-mode.ts'
import { LocalSpool, type SpoolParts } from './spool.ts'
import type { SpoolHash } from './spool-hash.ts'
import { syncDirectory } from './sync-directory.ts'
import { codeOf } from './system-error.ts'

const { COPYFILE_FICLONE, O_CREAT, O_NOFOLLOW, O_RDWR } = constants

/** Bytes on their way from bodies to disk and hash, over all spools. */
const BUDGET = 32 << 20

/** Syncs at once: the pool that does them has four threads, and reads and writes need one. */
const SYNCS = 3

/** Spools that nobody has open and whose digests are kept for `prepare`. */
const KEPT = 512

export class Spools {
  readonly #layout: Layout
  readonly #store: string
  /** Open, or closed and not prepared yet; the oldest first. */
  readonly #known = new Map<string, LocalSpool>()
  #parts: SpoolParts | undefined

  /** @param store its name, for messages */
  constructor(layout: Layout, store: string) {
    this.#layout = layout
    this.#store = store
  }

  async open(
    id: string,
    { functions = ['xxh3'], keepsLater = false, turn = 0, isTakenOver = false }: SpoolOptions = {},
  ): Promise<LocalSpool> {
    const parts = (this.#parts ??= this.#makeParts())
    const path = this.#pathOf(id)
    if (isTakenOver) await this.#leaveBehind(path, turn)
    const handle = await open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600)
    try {
      const { size, mode } = await handle.stat()
      const isSealed = isSealedMode(mode)
      const offset = isSealed ? size : Math.min(size, await parts.offsets.find(id, turn))
      if (offset < size && !keepsLater) await handle.truncate(offset)
      const isPlain = functions.length === 0 || functions.includes('sha256')
      const all = isPlain ? functions : ([...functions, 'sha256'] as const)
      const before = this.#known.get(id)
      const spool = new LocalSpool({ id, path, handle, offset, functions: all, isSealed, turn }, parts)
      if (before) await this.#inherit(before, spool)
      this.#known.set(id, spool)
      this.#letGo()
      return spool
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  /** What was digested while it was written; undefined: it has to be read. Nobody may write it from now on. */
  async seal(id: string, functions: readonly PathFunction[], size: number): Promise<PathDigests | undefined> {
    const spool = this.#known.get(id)
    spool?.seal()
    if (spool && !(await spool.isAsItWasLeft())) return undefined
    return spool?.digestsBy(functions, size)
  }

  /** Durable bytes; another process may be writing them. */
  async offset(id: string): Promise<number> {
    const parts = (this.#parts ??= this.#makeParts())
    const stats = await lstat(this.#pathOf(id)).catch(error => {
      if (codeOf(error) === 'ENOENT') return undefined
      throw error
    })
    if (!stats) return 0
    return isSealedMode(stats.mode) ? stats.size : Math.min(stats.size, await parts.offsets.look(id))
  }

  async remove(id: string): Promise<void> {
    const path = this.#pathOf(id)
    const spool = this.#known.get(id)
    this.#known.delete(id)
    await spool?.end()
    await rm(path, { force: true })
    this.#parts?.offsets.forget(id)
    await this.#removeBeside(id)
  }

  /** What the engine keeps beside a file while it fetches it. One look for all that are removed together. */
  readonly #removeBeside = createGroup(async (ids: readonly string[]) => {
    const removed = new Set(ids)
    for (const name of await readdir(this.#layout.spool)) {
      const dot = name.indexOf('.')
      if (dot > 0 && removed.has(name.slice(0, dot))) await rm(join(this.#layout.spool, name), { force: true })
    }
    return []
  })

  async *ids(): AsyncGenerator<string> {
    const names = await readdir(this.#layout.spool)
    yield* names.filter(name => !name.startsWith('.') && !name.includes('.'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#known.values()].map(spool => spool.end()))
    this.#known.clear()
    await this.#parts?.pool.close()
  }

  #pathOf(id: string): string {
    return join(this.#layout.spool, checkId(id))
  }

  /** The one before is closed by now, or it would be a second writer. */
  async #inherit(before: LocalSpool, spool: LocalSpool): Promise<void> {
    await before[Symbol.asyncDispose]()
    spool.inherit(before)
  }

  /** Whoever still has the old inode open writes to nothing that counts any more. */
  async #leaveBehind(path: string, turn: number): Promise<void> {
    const stats = await lstat(path).catch(() => undefined)
    if (!stats?.isFile() || isSealedMode(stats.mode)) return
    const copy = `${path}.turn-${turn}`
    await copyFile(path, copy, COPYFILE_FICLONE)
    const file = await open(copy, O_RDWR)
    try {
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(copy, path)
    await syncDirectory(this.#layout.spool)
  }

  /** Digests cost threads little memory, but many uploads are never finished. */
  #letGo(): void {
    for (const [id, spool] of this.#known) {
      if (this.#known.size <= KEPT) return
      if (!spool.isClosed) continue
      this.#known.delete(id)
      void spool.end()
    }
  }

  #makeParts(): SpoolParts {
    const slots = new Slots({ budget: BUDGET })
    const appending = new Set<LocalSpool>()
    const sync = createGroup((handles: readonly FileHandle[]) =>
      settleEach(handles, SYNCS, handle => handle.datasync()),
    )
    const parts: SpoolParts = {
      store: this.#store,
      slots,
      pool: createHashPool({ buffer: slots.buffer }),
      offsets: new Offsets(this.#layout.spool),
      appending,
      pieceSize: () => Math.min(1 << 20, Math.max(64 << 10, Math.floor(BUDGET / 4 / Math.max(1, appending.size)))),
      sync,
      readInto: (handle, size, hash) => readInto(handle, size, hash, slots),
      condemn: spool => this.#condemn(spool),
    }
    return parts
  }

  async #condemn(spool: LocalSpool): Promise<void> {
    this.#known.delete(spool.id)
    await this.#parts?.offsets.begin(spool.id, spool.turn).catch(() => {})
    // Another process may have taken it over, and goes on in a file of its own.
    if (await spool.isInPlace()) await unlink(spool.path).catch(() => {})
    await syncDirectory(this.#layout.spool).catch(() => {})
  }
}

async function readInto(handle: FileHandle, size: number, hash: SpoolHash, slots: Slots): Promise<void> {
  for (let at = 0; at < size; ) {
    const length = Math.min(1 << 20, size - at)
    const slot = await slots.reserve(length)
    try {
      const { bytesRead } = await handle.read(slot.bytes, 0, length, at)
      if (bytesRead === 0) throw Object.assign(new Error(`the spool ends at ${at}`), { code: 'EIO' })
      await hash.update(slot.bytes.subarray(0, bytesRead))
      at += bytesRead
    } finally {
      slot.release()
    }
  }
}
