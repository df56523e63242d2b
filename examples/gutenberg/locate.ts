import { type Engine, list, TransferError } from '@arriero/transfer'
import type { Book } from './books.ts'
import { chooseText } from './choose.ts'
import { directoryOf } from './directory.ts'

/** The text of a book on a mirror. */
export interface Located {
  /** Its name there, which tells what it is written in. */
  readonly name: string
  readonly uri: string
}

export interface LocateOptions {
  /** The root of the mirror, e.g. `ftp://aleph.gutenberg.org/`. */
  readonly mirror: string
  readonly engine: Engine
  readonly signal?: AbortSignal | undefined
}

/** Lists the directory of a book; undefined where it has no text, or there is no such directory. */
export async function locate({ number }: Book, options: LocateOptions): Promise<Located | undefined> {
  const { mirror, engine, signal } = options
  const uris = new Map<string, string>()
  const directory = `${mirror.replace(/\/*$/, '/')}${directoryOf(number)}/`
  try {
    for await (const batch of list(directory, { isRecursive: false, isLiteral: true, engine, signal })) {
      for (const { path, uri } of batch) uris.set(path, uri)
    }
  } catch (error) {
    if (error instanceof TransferError && error.code === 'NotFound') return undefined
    throw error
  }
  const name = chooseText(number, uris.keys())
  return name === undefined ? undefined : { name, uri: uris.get(name) as string }
}
