import { TransferError } from '../errors.ts'
import type { Listed, ListRequest } from '../source.ts'

export interface WalkOptions {
  /** For messages. */
  readonly uri: string
  /** Directories read at once. Default 1. */
  readonly atOnce?: number | undefined
}

/** Reads one directory, relative: empty or ends with `/`. Paths that it gives are relative to the same place. */
export type ReadDirectory = (directory: string, signal: AbortSignal) => Promise<readonly Listed[]>

/** Deeper trees are taken for loops that a server hides behind ever new names. */
const MOST_DEPTH = 64

/**
 * A listing where each directory is asked for itself: one batch per directory. `read` must not name as directories what
 * only symbolic links lead to: those may lead around in a circle.
 */
export async function* walk(
  read: ReadDirectory,
  request: ListRequest,
  { uri, atOnce = 1 }: WalkOptions,
): AsyncGenerator<readonly Listed[], void, undefined> {
  const { isRecursive, enters = () => true, prefix = '', signal } = request
  const stop = new AbortController()
  const together = AbortSignal.any([signal, stop.signal])
  const queue = ['']
  const reading = new Map<string, Promise<{ readonly directory: string; readonly found: readonly Listed[] }>>()
  try {
    while (queue.length > 0 || reading.size > 0) {
      signal.throwIfAborted()
      while (reading.size < atOnce && queue.length > 0) {
        // Depth first: the queue stays short in wide trees.
        const directory = queue.pop() as string
        reading.set(
          directory,
          read(directory, together).then(found => ({ directory, found })),
        )
      }
      const { directory, found } = await Promise.race(reading.values())
      reading.delete(directory)
      const wanted = found.filter(({ path }) => isAhead(path, prefix))
      if (isRecursive)
        for (const path of wanted.map(({ path }) => path).reverse()) {
          if (!path.endsWith('/') || !enters(path)) continue
          if (path.split('/').length > MOST_DEPTH) throw tooDeep(uri)
          queue.push(path)
        }
      const batch = isRecursive ? wanted.filter(({ path }) => !path.endsWith('/')) : wanted
      if (batch.length > 0) yield batch
    }
  } finally {
    stop.abort(new DOMException('The listing was left', 'AbortError'))
    await Promise.allSettled(reading.values())
  }
}

/** A directory above the prefix leads to it. */
function isAhead(path: string, prefix: string): boolean {
  return path.startsWith(prefix) || (path.endsWith('/') && prefix.startsWith(path))
}

function tooDeep(uri: string): TransferError {
  const what = `Cannot list ${uri}: directories are nested more than ${MOST_DEPTH} deep`
  return new TransferError('Protocol', what, { url: uri, retriable: false })
}
