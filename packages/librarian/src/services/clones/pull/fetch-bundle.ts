/** Fetches many small files as one archive, and takes nothing in it for more than it was asked for (reliability D2, F2). */
import { fromFailure, LibrarianError } from '@arriero/api'
import { type ArchiveEntry, ArchiveReader } from '@arriero/transfer'
import { bundlePath } from '../bundle-form.ts'
import { collectYoung } from './collect-young.ts'
import type { Link } from './link.ts'
import type { PeerRequests } from './peer-requests.ts'
import { Slabs } from './slabs.ts'

export interface Wanted {
  readonly name: string
  /** As announced. */
  readonly size: number
}

/** `tree`: it is none of those that a bundle carries · `size`: it has another size than was announced. */
export type Arrived = Uint8Array | 'tree' | 'size'

export interface FetchBundleOptions {
  /** To the sender. */
  readonly requests: PeerRequests
  readonly link: Link
  readonly signal: AbortSignal
  /** Told of each, in order; the next bytes are read when it has resolved. */
  readonly onFile: (index: number, arrived: Arrived) => Promise<void>
  /** For the bytes of files; who gives it has them back. Default: new memory. */
  readonly slabs?: Slabs | undefined
  /** A sender that sends nothing for so long is given up; ms. Default 60,000. */
  readonly idleMs?: number | undefined
}

/** What had come of a file when its bundle broke off. */
export interface Beginning {
  /** As long as the file. */
  readonly bytes: Uint8Array
  /** So many of them have come. */
  readonly length: number
}

/** Where a bundle ended: so many have arrived, and why there are no more of them. */
export interface BundleEnd {
  readonly count: number
  /** Of the next one. */
  readonly beginning?: Beginning | undefined
  /** Undefined: all have, or it ended in good order before one that cannot be sent. */
  readonly error: unknown
}

/** Rejects with the signal's reason, or with what `onFile` throws. */
export async function fetchBundle(files: readonly Wanted[], options: FetchBundleOptions): Promise<BundleEnd> {
  const { signal, onFile, idleMs = 60_000 } = options
  const idle = new AbortController()
  using watched = options.link.watch(signal)
  const timer = setTimeout(() => {
    // While we are slow ourselves, nothing comes because nothing is read.
    if (watched.isOurTurn) timer.refresh()
    else idle.abort(new Error(`nothing came for ${idleMs} ms`))
  }, idleMs).unref()
  const bundle = new Bundle(files, options.slabs ?? new Slabs())
  let told = 0
  const tell = async () => {
    for (const arrived of bundle.take()) {
      await onFile(told++, arrived).catch(cause => {
        throw new TellFailure('a file could not be taken', { cause })
      })
    }
  }
  try {
    const body = await open(files, options, AbortSignal.any([watched.signal, idle.signal]))
    const reader = new ArchiveReader(bundle)
    for await (const piece of body) {
      watched.beat()
      reader.write(piece)
      collectYoung(piece.length)
      watched.isOurTurn = true
      await tell()
      watched.isOurTurn = false
      timer.refresh()
      // What follows is not what was announced; the next bundle begins behind it.
      if (bundle.isOver) return { count: told, error: undefined }
    }
    reader.end()
    return { count: told, error: undefined }
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof TellFailure) throw error.cause
    const end = [watched.signal, idle.signal].find(({ aborted }) => aborted)
    return { count: told, beginning: bundle.beginning, error: end ? end.reason : error }
  } finally {
    clearTimeout(timer)
    idle.abort()
  }
}

/** Ours, not the sender's. */
class TellFailure extends Error {}

async function open(
  files: readonly Wanted[],
  { requests }: FetchBundleOptions,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const body = JSON.stringify({ names: files.map(({ name }) => name) })
  const unreached = (cause?: unknown) => {
    signal.throwIfAborted()
    throw new LibrarianError('PeerUnreachable', `Cannot reach the librarian at ${requests.address}`, { cause })
  }
  const response = await requests.send(requests.address + bundlePath, { body, signal }).catch(unreached)
  const { statusCode: status = 0, headers } = response
  if (status === 200) return response
  const text = await textOf(response)
  // Nobody else is shown the password.
  if (status >= 300 && status < 400) return unreached(new Error('it sends us elsewhere'))
  throw fromFailure(status, text, { retryAfter: headers['retry-after'] ?? null })
}

const MOST_TEXT = 64 << 10

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const pieces: Uint8Array[] = []
  let length = 0
  for await (const piece of body) {
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
  readonly #slabs: Slabs
  #bytes: Uint8Array = new Uint8Array()
  #filled = 0
  isOver = false

  constructor(files: readonly Wanted[], slabs: Slabs) {
    this.#files = files
    this.#slabs = slabs
  }

  get beginning(): Beginning | undefined {
    const isNext = this.#arrived.length === 0 && !this.isOver
    return isNext && this.#filled < this.#bytes.length ? { bytes: this.#bytes, length: this.#filled } : undefined
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
