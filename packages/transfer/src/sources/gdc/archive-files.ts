/** The files of an archive of the GDC: `<id>/<name>`, among lists and notices that nobody asked for (gen3 6.5). */
import { TarReader } from '../../commons/tar-reader.ts'

/** A file that is hoped for in an archive. */
export interface Wanted {
  /** Bytes. */
  readonly size: number
  readonly isWaiting: boolean
  /** Called once, with all of its bytes. */
  give(bytes: Uint8Array): void
}

/** Gives each file to whoever waits for it. One that is not as large as it must be is taken for another. */
export class ArchiveFiles {
  readonly #reader: TarReader

  constructor(wantedOf: (id: string) => Wanted | undefined) {
    let wanted: Wanted | undefined
    let bytes: Uint8Array | undefined
    let filled = 0
    this.#reader = new TarReader({
      begin: ({ path, size }) => {
        const id = idOf(path)
        const found = id === undefined ? undefined : wantedOf(id)
        wanted = found?.isWaiting && found.size === size ? found : undefined
        bytes = wanted && new Uint8Array(size)
        filled = 0
      },
      data: piece => {
        // Who went away in the middle does not hold up the others.
        if (!wanted?.isWaiting) bytes = undefined
        bytes?.set(piece, filled)
        filled += piece.length
      },
      end: () => {
        if (wanted?.isWaiting && bytes) wanted.give(bytes)
        wanted = bytes = undefined
      },
    })
  }

  /** @throws TransferError Protocol for what is no archive */
  push(bytes: Uint8Array): void {
    this.#reader.push(bytes)
  }
}

const NOTICE = /^(?:annotations|superseded_files[\d._]+)\.txt$/

/** Undefined for what is no file of the GDC: its list of the archive, what it says of superseded files, annotations. */
function idOf(path: string): string | undefined {
  const [id, name, ...more] = path.replace(/^\.\//, '').split('/')
  return name === undefined || more.length > 0 || NOTICE.test(name) ? undefined : id
}
