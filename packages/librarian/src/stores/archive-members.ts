import { LibrarianError } from '@arriero/api/errors'
import { type ArchiveEntry, MemberNames, printable, TransferError } from '@arriero/transfer/paths'
import { mismatch } from './refusals.ts'

/** Members of an archive: their names and digests are in memory while it is unpacked. */
export const MOST_MEMBERS = 250_000

/** Bytes of headers and padding that an archive may have beside its files' own. */
export const MOST_OVERHEAD = MOST_MEMBERS * 2048

export interface ArchiveMembersOptions {
  /** For messages. */
  readonly what: string
  /** Bytes of all files, as announced. */
  readonly size: number
  /** Default: `MOST_MEMBERS`. */
  readonly most?: number | undefined
}

/**
 * What an archive may make. It is asked before anything of an entry is made, so that a name which leads elsewhere, a second
 * entry of one name and more bytes than were announced cost nothing (reliability 6).
 */
export class ArchiveMembers {
  readonly #names = new MemberNames()
  readonly #o: ArchiveMembersOptions
  #size = 0

  constructor(options: ArchiveMembersOptions) {
    this.#o = options
  }

  /** @throws LibrarianError BadArchive, Mismatch */
  admit({ path, type, size }: ArchiveEntry): void {
    const { what, most = MOST_MEMBERS } = this.#o
    const problem = this.#names.claim(path, type)
    if (problem !== undefined) throw badArchive(what, `${shown(path)}: ${problem}`)
    if (this.#names.size > most) throw badArchive(what, `it must have at most ${most} members, it has more`)
    this.#size += size
    if (this.#size > this.#o.size) throw mismatch(what, { ...this.#o, checksum: undefined }, { size: this.#size })
  }
}

/** What the reader of archives says, in our words; anything else as it is. */
export function archiveErrorOf(what: string, error: unknown): unknown {
  const isRefusal = error instanceof TransferError && error.code === 'Protocol'
  return isRefusal ? badArchive(what, error.details.reason ?? error.message) : error
}

function badArchive(what: string, why: string): LibrarianError {
  return new LibrarianError('BadArchive', `Cannot unpack ${printable(what)}: ${why}`)
}

function shown(path: string): string {
  const text = JSON.stringify(printable(path))
  return text.length > 300 ? `${text.slice(0, 300)}…` : text
}
