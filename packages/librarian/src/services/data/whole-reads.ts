/** Reads small files in groups, one group before it is asked for: a call each would cost more than their bytes. */
import type { LibrarianError } from '@arriero/api'
import type { Data, DataFile, DataTree } from '../data.ts'

/** Larger files are opened, and sent as they are read. */
const MOST_OF_ONE = 1 << 20
/** Of a group. */
const MOST_BYTES = 2 << 20
const MOST_FILES = 256

export class WholeReads {
  readonly #data: Pick<Data, 'readWhole'>
  readonly #groups: readonly (readonly DataFile[])[]
  readonly #groupOf = new Map<DataFile, number>()
  readonly #coming = new Map<number, Promise<ReadonlyMap<DataFile, Uint8Array>>>()

  constructor(found: readonly (DataFile | DataTree | LibrarianError)[], data: Pick<Data, 'readWhole'>) {
    this.#data = data
    this.#groups = groupsOf(found.filter(isSmall))
    for (const [index, files] of this.#groups.entries()) for (const file of files) this.#groupOf.set(file, index)
  }

  /** Undefined: it has to be opened by itself. */
  async of(file: DataFile): Promise<Uint8Array | undefined> {
    const index = this.#groupOf.get(file)
    if (index === undefined) return undefined
    const bytes = this.#read(index)
    this.#read(index + 1)
    this.#coming.delete(index - 1)
    return (await bytes)?.get(file)
  }

  #read(index: number): Promise<ReadonlyMap<DataFile, Uint8Array>> | undefined {
    const files = this.#groups[index]
    if (!files) return undefined
    const known = this.#coming.get(index)
    if (known) return known
    const coming = this.#data.readWhole(files)
    // It is met when its turn comes.
    coming.catch(() => {})
    this.#coming.set(index, coming)
    return coming
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
