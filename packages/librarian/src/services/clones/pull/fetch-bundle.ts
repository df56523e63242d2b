/** Fetches many small files as one archive, and takes nothing in it for more than it was asked for (reliability D2, F2). */
import { fromFailure, LibrarianError } from '@arriero/api'
import { type ArchiveEntry, ArchiveReader } from '@arriero/transfer'
import type { PeerConnection } from '../../peer-connections.ts'
import { bundlePath } from '../bundle-form.ts'

export interface Wanted {
  readonly name: string
  /** As announced. */
  readonly size: number
}

/** `tree`: it is none of those that a bundle carries · `size`: it has another size than was announced. */
export type Arrived = Uint8Array | 'tree' | 'size'

export interface FetchBundleOptions {
  readonly peer: PeerConnection
  readonly signal: AbortSignal
  /** Told of each, in order; the next bytes are read when it has resolved. */
  readonly onFile: (index: number, arrived: Arrived) => Promise<void>
  /** A sender that sends nothing for so long is given up; ms. Default 60,000. */
  readonly idleMs?: number | undefined
}

/** Where a bundle ended: so many have arrived, and why there are no more of them. */
export interface BundleEnd {
  readonly count: number
  /** Undefined: all have, or it ended in good order before one that cannot be sent. */
  readonly error: unknown
}

/** Rejects with the signal's reason, or with what `onFile` throws. */
export async function fetchBundle(files: readonly Wanted[], options: FetchBundleOptions): Promise<BundleEnd> {
  const { signal, onFile, idleMs = 60_000 } = options
  const idle = new AbortController()
  let isOurTurn = false
  const timer = setTimeout(() => {
    // While we are slow ourselves, nothing comes because nothing is read.
    if (isOurTurn) timer.refresh()
    else idle.abort(new Error(`nothing came for ${idleMs} ms`))
  }, idleMs).unref()
  const bundle = new Bundle(files)
  let told = 0
  const tell = async () => {
    for (const arrived of bundle.take()) {
      await onFile(told++, arrived).catch(cause => {
        throw new TellFailure('a file could not be taken', { cause })
      })
    }
  }
  try {
    const body = await open(files, options.peer, AbortSignal.any([signal, idle.signal]))
    const reader = new ArchiveReader(bundle)
    for await (const piece of body) {
      reader.write(piece)
      isOurTurn = true
      await tell()
      isOurTurn = false
      timer.refresh()
      // What follows is not what was announced; the next bundle begins behind it.
      if (bundle.isOver) return { count: told, error: undefined }
    }
    reader.end()
    return { count: told, error: undefined }
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof TellFailure) throw error.cause
    return { count: told, error: idle.signal.aborted ? idle.signal.reason : error }
  } finally {
    clearTimeout(timer)
    idle.abort()
  }
}

/** Ours, not the sender's. */
class TellFailure extends Error {}

async function open(
  files: readonly Wanted[],
  { connection, credentials: { user, password } }: PeerConnection,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const response = await fetch(connection.address + bundlePath, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ names: files.map(({ name }) => name) }),
    // Nobody else is shown the password.
    redirect: 'error',
    signal,
  }).catch(cause => {
    signal.throwIfAborted()
    throw new LibrarianError('PeerUnreachable', `Cannot reach the librarian at ${connection.address}`, { cause })
  })
  if (response.status === 200 && response.body) return response.body
  const text = await textOf(response)
  throw fromFailure(response.status, text, { retryAfter: response.headers.get('retry-after') })
}

const MOST_TEXT = 64 << 10

async function textOf({ body }: Response): Promise<string> {
  const pieces: Uint8Array[] = []
  let length = 0
  for await (const piece of body ?? []) {
    pieces.push(piece)
    length += piece.length
    if (length > MOST_TEXT) break
  }
  return Buffer.concat(pieces).toString()
}

/** What has arrived of it and was not taken yet. */
class Bundle {
  readonly #files: readonly Wanted[]
  #arrived: Arrived[] = []
  #next = 0
  readonly #slabs = new Slabs()
  #bytes: Uint8Array = new Uint8Array()
  #filled = 0
  isOver = false

  constructor(files: readonly Wanted[]) {
    this.#files = files
  }

  take(): Arrived[] {
    const taken = this.#arrived
    this.#arrived = []
    return taken
  }

  begin({ path, type, size }: ArchiveEntry): void {
    if (this.isOver) return
    const wanted = this.#files[this.#next]
    if (wanted?.name !== path) {
      throw new LibrarianError(
        'BadAnswer',
        `Cannot read the bundle: ${wanted?.name ?? 'its end'} must come next, ${JSON.stringify(path.slice(0, 300))} came`,
      )
    }
    if (type === 'directory') {
      this.#arrive('tree')
    } else if (size !== wanted.size) {
      this.#arrive('size')
      this.isOver = true
    } else {
      this.#bytes = this.#slabs.take(size)
      this.#filled = 0
    }
  }

  bytes(bytes: Uint8Array): void {
    if (this.isOver) return
    this.#bytes.set(bytes, this.#filled)
    this.#filled += bytes.length
  }

  finish(): void {
    if (!this.isOver) this.#arrive(this.#bytes)
  }

  #arrive(arrived: Arrived): void {
    this.#arrived.push(arrived)
    this.#next++
  }
}

/** Of one, many files are shared with a thread without being copied. */
const SLAB = 1 << 20

/** Room for files, of memory that threads share. */
class Slabs {
  #slab = new SharedArrayBuffer(0)
  #used = 0

  take(size: number): Uint8Array {
    if (this.#used + size > this.#slab.byteLength) {
      this.#slab = new SharedArrayBuffer(Math.max(SLAB, size))
      this.#used = 0
    }
    const bytes = new Uint8Array(this.#slab, this.#used, size)
    this.#used += size
    return bytes
  }
}
