/**
 * Files onto a disk that is carried to another librarian (reliability G4).
 *
 *     open    an empty disk, or one that is being packed: its journal says what is on it
 *     look    at all that is to go: what the disk cannot keep is told before the first byte
 *     place   batch by batch: copy, sync, read back from the medium, give the name, write the journal, tell the librarian
 *     seal    transfers, lists, signature
 *
 * Nothing here deletes anything but what it has written itself. It does not promise that all fit: what does not is told.
 */
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type DiskCandidate, LibrarianError } from '@arriero/api'
import { type Engine, Progress, printable, TransferError } from '@arriero/transfer'
import { workTogether } from '../../crew.ts'
import type { Librarian } from '../../librarian.ts'
import type { PackedItem } from '../bag/item.ts'
import { DATA, JOURNAL, WORK } from '../bag/layout.ts'
import { makeParents, syncDirectory } from '../disk/durable.ts'
import { DiskNames, type DiskPowers, type Probe, probeDisk, tellProblems } from '../disk/probe.ts'
import { readBackBuffer } from '../disk/read-back.ts'
import { freeBytes, SLACK } from '../disk/room.ts'
import { diskTrouble, isDiskGone, isFull } from '../disk/trouble.ts'
import { inPages } from '../in-pages.ts'
import { type CandidateOrder, candidates } from './candidates.ts'
import type { PackingJournal } from './journal.ts'
import { openDisk } from './open-disk.ts'
import { placeItem } from './place-item.ts'
import { type Sealed, sealDisk } from './seal-disk.ts'

/** What goes onto a disk, and for whom. */
export interface PackOrder extends CandidateOrder {
  /** Where the disk is mounted, or an empty directory on it. */
  readonly directory: string
  readonly label?: string | undefined
}

/** Options of `packDisk()`. */
export interface PackOptions {
  readonly engine: Engine
  readonly progress?: Progress | undefined
  readonly signal?: AbortSignal | undefined
  /** Default: tries it. */
  readonly probe?: Probe | undefined
  /** Bytes that are free on the disk. Default: asks it. */
  readonly free?: ((directory: string) => Promise<number>) | undefined
  /** A file that is not on the disk, and why; the others go on. */
  readonly onFailed: (name: string, error: unknown) => void
  /** Before the first byte: not all of them have room. */
  readonly onShort?: ((short: Short) => void) | undefined
  readonly now?: (() => Date) | undefined
}

/** Files, and the room that they need and have. */
export interface Short {
  readonly files: number
  /** In whole blocks, bytes. */
  readonly needed: number
  /** Bytes. */
  readonly room: number
}

/** What was packed, and what was left. */
export interface PackReport extends Sealed {
  /** UUID. */
  readonly disk: string
  readonly failed: number
  /** What this disk has no room for. */
  readonly left: { readonly files: number; readonly bytes: number }
}

const AT_ONCE = 4
const PAGE = 500
const BATCH_FILES = 128
const BATCH_BYTES = 1 << 30
const MOST_PROBLEMS = 20

/** Writes what another librarian lacks onto a disk, and reads it back. The same call again goes on. */
export async function packDisk(librarian: Librarian, order: PackOrder, options: PackOptions): Promise<PackReport> {
  const { signal = new AbortController().signal, probe = probeDisk, free = freeBytes, now = () => new Date() } = options
  const { api } = librarian
  const { librarian_name: source } = await api.sneakernet.key({}, { signal })
  const { directory, destination, store, label = '' } = order
  // A name that nobody knows is told before anything is on the disk.
  await api.sneakernet.candidates({ librarian_name: destination, store_name: store, max_results: 1 }, { signal })
  await using journal = await openDisk({ directory, source, destination, label, now: now().toISOString(), free })
  const disk_id = journal.header.disk
  const disk = await api.sneakernet
    .begin({ disk_id, librarian_name: destination, label }, { signal })
    .catch(async error => {
      // Refused, so nobody goes on with it.
      if (error instanceof LibrarianError && error.code === 'Conflict' && (await count(journal, signal)) === 0) {
        await clear(directory)
      }
      throw error
    })
  await tellAgain(librarian, journal, signal)
  const packing = new Packing(librarian, order, journal, { ...options, signal })
  if (disk.state === 'packing') {
    await packing.look(await probe(join(directory, WORK)))
    if (!(await packing.hasRoom()) && (await count(journal, signal)) === 0) {
      await undo(librarian, order, journal)
      throw packing.noRoom()
    }
    await packing.place()
  }
  const files = await count(journal, signal)
  if (files === 0) throw await nothingToPack(librarian, order, journal, packing)
  const sealed = await sealDisk(librarian, directory, journal, signal)
  return { ...sealed, disk: disk_id, failed: packing.failed, left: packing.left }
}

/** What a crash has parted: the journal has it, the librarian does not know it yet. */
async function tellAgain({ api }: Librarian, journal: PackingJournal, signal: AbortSignal): Promise<void> {
  for await (const page of inPages(journal.items(signal), PAGE)) {
    await api.sneakernet.add({ disk_id: journal.header.disk, files: page.map(told) }, { signal })
  }
}

/** What the librarian is told of a file that is on the disk. */
function told({ name, instance_id }: PackedItem) {
  return { name, instance_id }
}

async function count(journal: PackingJournal, signal: AbortSignal): Promise<number> {
  let files = 0
  for await (const _ of journal.items(signal)) files++
  return files
}

/** The disk becomes as empty as it was. */
async function clear(directory: string): Promise<void> {
  await rm(join(directory, WORK), { recursive: true, force: true })
  await rm(join(directory, JOURNAL), { force: true })
}

async function undo({ api }: Librarian, { directory }: PackOrder, journal: PackingJournal): Promise<void> {
  await clear(directory)
  await api.sneakernet.giveUp({ disk_id: journal.header.disk })
}

async function nothingToPack(
  librarian: Librarian,
  order: PackOrder,
  journal: PackingJournal,
  packing: Packing,
): Promise<TransferError> {
  const { destination } = order
  if (packing.failed === 0 || packing.left.files > 0) await undo(librarian, order, journal)
  if (packing.left.files > 0) return packing.noRoom()
  const why = packing.failed > 0 ? 'every file failed' : `${destination} has all of them, or they are on their way`
  return new TransferError('NotFound', `There is nothing to pack (disk ${journal.header.disk}): ${why}`, {
    remedy: 'See `arriero sneakernet status` for what is on its way.',
  })
}

interface Placed {
  readonly item: PackedItem
  /** Where it is until it has its name. */
  readonly path: string
}

class Packing {
  failed = 0
  left = { files: 0, bytes: 0 }
  /** Of what is to go. */
  #files = 0
  #needed = 0
  #smallest = Number.POSITIVE_INFINITY
  #hadRoom = 0
  readonly #librarian: Librarian
  readonly #order: PackOrder
  readonly #journal: PackingJournal
  readonly #options: PackOptions & { readonly signal: AbortSignal }
  readonly #progress: Progress
  readonly #buffers = Array.from({ length: AT_ONCE }, readBackBuffer)
  #blockSize = 4096
  #isFull = false
  #next = 0

  constructor(
    librarian: Librarian,
    order: PackOrder,
    journal: PackingJournal,
    options: PackOptions & { readonly signal: AbortSignal },
  ) {
    this.#librarian = librarian
    this.#order = order
    this.#journal = journal
    this.#options = options
    this.#progress = options.progress ?? new Progress()
  }

  /** @throws TransferError Unsupported, with the names that the disk cannot keep */
  async look(powers: DiskPowers): Promise<void> {
    this.#blockSize = powers.blockSize
    const names = new DiskNames(powers)
    const problems: string[] = []
    let bad = 0
    for await (const file of this.#candidates()) {
      this.#progress.listed++
      this.#files++
      this.#needed += this.#needOf(file)
      this.#smallest = Math.min(this.#smallest, this.#needOf(file))
      const problem = names.problem(file)
      if (problem !== undefined && bad++ < MOST_PROBLEMS) problems.push(`${file.name}: ${problem}`)
    }
    this.#progress.isListed = true
    if (bad === 0) return
    throw new TransferError(
      'Unsupported',
      `Cannot pack onto ${printable(this.#order.directory)}: it cannot keep ${bad} of the files:${tellProblems(problems, bad)}`,
      { remedy: 'Take a disk with ext4, or leave these files out; nothing was copied.' },
    )
  }

  /** For one of them at least, or there is nothing to go; that there is none for all is told. */
  async hasRoom(): Promise<boolean> {
    const room = Math.max(0, await this.#room())
    this.#hadRoom = room
    if (this.#files > 0 && this.#smallest > room) return false
    if (this.#needed > room) this.#options.onShort?.({ files: this.#files, needed: this.#needed, room })
    return true
  }

  noRoom(): TransferError {
    const directory = printable(this.#order.directory)
    const tooFew = this.#smallest - this.#hadRoom
    const short =
      tooFew > 0
        ? `the smallest of ${this.#files} needs ${this.#smallest} bytes, there are ${this.#hadRoom}: ${tooFew} too few`
        : 'it was full before the first one was on it'
    return new TransferError('NoSpace', `Cannot pack onto ${directory}: none of the files has room on it; ${short}`, {
      file: this.#order.directory,
      remedy: `Take a larger disk: all of them need ${this.#needed + SLACK} bytes. Nothing was begun on this one.`,
    })
  }

  async place(): Promise<void> {
    let batch: DiskCandidate[] = []
    let bytes = 0
    let room = await this.#room()
    for await (const file of this.#candidates()) {
      const need = this.#needOf(file)
      if (this.#isFull || need > room) {
        this.#leave(file)
        continue
      }
      room -= need
      bytes += file.size
      if (batch.push(file) < BATCH_FILES && bytes < BATCH_BYTES) continue
      await this.#placeBatch(batch)
      batch = []
      bytes = 0
      room = await this.#room()
    }
    await this.#placeBatch(batch)
  }

  #candidates(): AsyncGenerator<DiskCandidate> {
    return candidates(this.#librarian, this.#order, this.#options.signal)
  }

  async #placeBatch(batch: readonly DiskCandidate[]): Promise<void> {
    if (batch.length === 0) return
    const done = new Map<DiskCandidate, Placed>()
    await workTogether(batch, this.#buffers, async (file, buffer) => {
      const path = join(this.#order.directory, WORK, String(this.#next++))
      const item = await this.#placeOne(file, path, buffer)
      if (item) done.set(file, { item, path })
    })
    const placed = batch.flatMap(file => done.get(file) ?? [])
    await this.#name(placed)
    const items = placed.map(({ item }) => item)
    await this.#journal.add(items)
    const request = { disk_id: this.#journal.header.disk, files: items.map(told) }
    await this.#librarian.api.sneakernet.add(request, { signal: this.#options.signal })
  }

  /** Undefined: it is not on the disk. */
  async #placeOne(file: DiskCandidate, path: string, buffer: Uint8Array): Promise<PackedItem | undefined> {
    const { engine, signal, onFailed } = this.#options
    if (this.#isFull) return this.#leave(file)
    const shown = this.#progress.start(file.name, file.size)
    const onBytes = (bytes: number) => this.#progress.landed(shown, bytes)
    try {
      const item = await placeItem(file, path, { librarian: this.#librarian, engine, signal, onBytes, buffer })
      this.#progress.finish(shown, 'done')
      return item
    } catch (error) {
      this.#progress.finish(shown, 'failed')
      signal.throwIfAborted()
      if (isDiskGone(error)) throw error
      await rm(path, { recursive: true, force: true }).catch(() => {})
      if (isFull(error)) {
        this.#isFull = true
        return this.#leave(file)
      }
      this.failed++
      onFailed(file.name, error)
      return undefined
    }
  }

  /** Their own names, durable: what has one was read back. */
  async #name(placed: readonly Placed[]): Promise<void> {
    const data = join(this.#order.directory, DATA)
    const touched = new Set<string>()
    try {
      await mkdir(data, { recursive: true })
      touched.add(this.#order.directory)
      for (const { item, path } of placed) {
        const target = join(data, item.name)
        await makeParents(data, target, touched)
        // A kill between name and journal has left it: the journal knows nothing of it.
        await rm(target, { recursive: true, force: true })
        await rename(path, target)
      }
      for (const directory of touched) await syncDirectory(directory)
    } catch (error) {
      throw diskTrouble(error, 'write', data)
    }
  }

  #leave({ size }: DiskCandidate): undefined {
    this.left.files++
    this.left.bytes += size
  }

  async #room(): Promise<number> {
    const { free = freeBytes } = this.#options
    return (await free(this.#order.directory)) - SLACK
  }

  /** In whole blocks, with one for its directory and a line in each list. */
  #needOf({ size }: DiskCandidate): number {
    return (Math.ceil(size / this.#blockSize) + 1) * this.#blockSize + 2048
  }
}
