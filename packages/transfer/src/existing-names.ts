import { opendir } from 'node:fs/promises'
import { basename, dirname } from 'node:path'

/** Directories with more entries than this are asked file by file: remembering them would cost too much memory. */
const MOST_ENTRIES = 50_000

/** What is known of names without asking the file system for each. */
export interface Names {
  /** Finds out about the directory of `path`; undefined when nothing is to be waited for. */
  look(path: string): Promise<void> | undefined
  /** False: it surely is not there. */
  mayExist(path: string): boolean
  /** We are making this name. */
  note(path: string): void
}

/** Nothing is known: one file is looked up faster than its directory is listed. */
export const unknownNames: Names = { look: () => undefined, mayExist: () => true, note: () => {} }

/**
 * Which names were there when a directory was first looked at. One listing replaces three look-ups for each of ten
 * thousand new files, which on network file systems take a round trip each. Only ever says "surely not there" or "look":
 * whoever publishes relies on the file system's own refusal to replace a name. For one run over many files: what others
 * make meanwhile is not seen.
 */
export class ExistingNames implements Names {
  readonly #directories = new Map<string, Set<string> | 'ask'>()
  readonly #reading = new Map<string, Promise<void>>()

  /** Lists the directory of `path`; undefined when that was done already. */
  look(path: string): Promise<void> | undefined {
    const directory = dirname(path)
    if (this.#directories.has(directory)) return undefined
    const reading = this.#reading.get(directory) ?? this.#read(directory)
    this.#reading.set(directory, reading)
    return reading
  }

  /** False: the name was not there when `look` was done, and we made none. */
  mayExist(path: string): boolean {
    const known = this.#directories.get(dirname(path)) ?? 'ask'
    return known === 'ask' || known.has(basename(path))
  }

  /** We are making this name. */
  note(path: string): void {
    const known = this.#directories.get(dirname(path))
    if (known && known !== 'ask') known.add(basename(path))
  }

  async #read(directory: string): Promise<void> {
    let names: Set<string> | 'ask' = new Set<string>()
    try {
      for await (const { name } of await opendir(directory, { bufferSize: 1024 })) {
        names.add(name)
        if (names.size > MOST_ENTRIES) {
          names = 'ask'
          break
        }
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') names = 'ask'
    }
    this.#directories.set(directory, names)
    this.#reading.delete(directory)
  }
}
