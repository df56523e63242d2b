/** Reads small files in groups, one group before it is asked for: a call each would cost more than their bytes. */
import type { LibrarianError } from '@arriero/api'
import { allocateShared } from '@arriero/transfer'
import type { Data, DataFile, DataTree } from '../data.ts'

/** Larger files are opened, and sent as they are read. */
const MOST_OF_ONE = 1 << 20
/** Of a group. */
const MOST_BYTES = 2 << 20
const MOST_FILES = 256
/** Between its files, where each must begin on a page. */
const GAPS = 64 << 10
const KEPT_ROOMS = 8

/** Memory of the groups of all bundles, used again. */
export class Rooms {
  readonly #free: SharedArrayBuffer[] = []

  take(): SharedArrayBuffer {
    return this.#free.pop() ?? allocateShared(MOST_BYTES + GAPS)
  }

  /** Nobody reads or writes it any more. */
  give(room: SharedArrayBuffer): void {
    if (this.#free.length < KEPT_ROOMS) this.#free.push(room)
  }
}

interface Group {
  readonly room: SharedArrayBuffer
  readonly bytes: Promise<ReadonlyMap<DataFile, Uint8Array>>
  /** Of its files, those that are not done. */
  left: number
}

export class WholeReads {
  readonly #data: Pick<Data, 'readWhole'>
  readonly #rooms: Rooms
  readonly #groups: readonly (readonly DataFile[])[]
  readonly #groupOf = new Map<DataFile, number>()
  readonly #read = new Map<number, Group>()

  constructor(
    found: readonly (DataFile | DataTree | LibrarianError)[],
    { data, rooms }: { readonly data: Pick<Data, 'readWhole'>; readonly rooms: Rooms },
  ) {
    this.#data = data
    this.#rooms = rooms
    this.#groups = groupsOf(found.filter(isSmall))
    for (const [index, files] of this.#groups.entries()) for (const file of files) this.#groupOf.set(file, index)
  }

  /** Undefined: it has to be opened by itself. */
  async of(file: DataFile): Promise<Uint8Array | undefined> {
    const index = this.#groupOf.get(file)
    if (index === undefined) return undefined
    const group = this.#begin(index)
    this.#begin(index + 1)
    return (await group?.bytes)?.get(file)
  }

  /** Its bytes are not read any more. */
  done(file: DataFile): void {
    const index = this.#groupOf.get(file)
    const group = index === undefined ? undefined : this.#read.get(index)
    if (group && --group.left === 0) this.#rooms.give(group.room)
  }

  #begin(index: number): Group | undefined {
    const files = this.#groups[index]
    const known = this.#read.get(index)
    if (!files || known) return known
    const room = this.#rooms.take()
    const bytes = this.#data.readWhole(files, room)
    // It is met when its turn comes.
    bytes.catch(() => {})
    const group = { room, bytes, left: files.length }
    this.#read.set(index, group)
    return group
  }
}

function isSmall(found: DataFile | DataTree | LibrarianError): found is DataFile {
  return 'kind' in found && found.kind === 'file' && found.size <= MOST_OF_ONE
}

function groupsOf(files: readonly DataFile[]): DataFile[][] {
  const groups: DataFile[][] = []
  let bytes = Number.POSITIVE_INFINITY
  for (const file of files) {
    bytes += file.size
    const last = groups.at(-1)
    if (last && bytes <= MOST_BYTES && last.length < MOST_FILES) last.push(file)
    else {
      groups.push([file])
      bytes = file.size
    }
  }
  return groups
}
