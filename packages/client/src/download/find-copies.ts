import { LibrarianError } from '@arriero/api'
import type { Librarian } from '../librarian.ts'
import { countCopies } from '../search/copy-count.ts'
import type { FoundFile } from '../search/search-files.ts'

/** One file and the librarians that say they have a good copy of it, preferred first. */
export interface Located {
  readonly file: FoundFile
  readonly holders: readonly Librarian[]
}

/**
 * Asks every librarian for the file. Those that hold something else under this name are refused together: nobody could
 * say which is meant.
 */
export async function findCopies(
  librarians: readonly Librarian[],
  name: string,
  signal?: AbortSignal | undefined,
): Promise<Located> {
  const answers = await Promise.allSettled(librarians.map(each => findAt(each, name, signal)))
  signal?.throwIfAborted()
  const found = answers.flatMap((answer, at) =>
    answer.status === 'fulfilled' && answer.value
      ? [{ file: answer.value, librarian: librarians[at] as Librarian }]
      : [],
  )
  const first = found[0]
  if (!first) {
    const failed = answers.find(answer => answer.status === 'rejected')
    if (failed) throw failed.reason
    throw new LibrarianError(
      'NotFound',
      `Cannot find ${name}: ${namesOf(librarians)} keep${librarians.length === 1 ? 's' : ''} no file of this name.`,
      {
        remedy: 'Check the name; `arriero search` takes * and ?.',
      },
    )
  }
  const other = found.find(({ file }) => file.checksum !== first.file.checksum || file.size !== first.file.size)
  if (other) {
    throw new LibrarianError(
      'Conflict',
      `Cannot take ${name} from several librarians: ${first.librarian.connection.name} and ${other.librarian.connection.name} keep different files under this name.`,
      { remedy: 'Name one of them with --librarian.' },
    )
  }
  const goodness = (file: FoundFile) => Math.sign(countCopies(file).good)
  // One without a good copy may have one again by the time it is asked: last, but not left out.
  const best = found.toSorted((one, other) => goodness(other.file) - goodness(one.file))
  return { file: best[0]!.file, holders: best.map(({ librarian }) => librarian) }
}

/** The file of exactly this name; undefined where there is none. */
export async function findAt(
  librarian: Librarian,
  name: string,
  signal?: AbortSignal | undefined,
): Promise<FoundFile | undefined> {
  const found = await librarian.api.search.file({ name, max_results: 1 }, { signal })
  return found.find(file => file.name === name)
}

function namesOf(librarians: readonly Librarian[]): string {
  return librarians.map(({ connection }) => connection.name).join(' and ')
}
