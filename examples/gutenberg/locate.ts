import { drop, type ItemContext, type Located, list, TransferError } from '@arriero/transfer'
import { type BadRow, type Book, isBadRow } from './books.ts'
import { chooseText } from './choose.ts'
import { directoryOf } from './directory.ts'

/** Finds the text of a book on a mirror by listing its directory; `N.txt` is what it shall be called here. */
export function locateOn(mirror: string) {
  return async (book: Book | BadRow, { engine, signal }: Pick<ItemContext, 'engine' | 'signal'>) => {
    if (isBadRow(book)) throw new TransferError('Usage', book.why)
    const { number } = book
    const directory = `${mirror.replace(/\/*$/, '/')}${directoryOf(number)}/`
    const uris = new Map<string, string>()
    try {
      for await (const batch of list(directory, { isRecursive: false, isLiteral: true, engine, signal })) {
        for (const { path, uri } of batch) uris.set(path, uri)
      }
    } catch (error) {
      if (!(error instanceof TransferError) || error.code !== 'NotFound') throw error
    }
    const name = chooseText(number, uris.keys())
    if (name === undefined) return drop('no text file')
    return { uri: uris.get(name), path: `${number}.txt` } satisfies Located
  }
}
