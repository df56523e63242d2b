/**
 * Fetches small files, bundle after bundle. What a cut link leaves goes on where it was: with the file of which a part had come, by
 * its range, then with the ones behind it. A digest of the whole tells whether both halves are of one file: its caller compares it.
 */
import { LibrarianError } from '@arriero/api'
import { dataUrl } from './addresses.ts'
import { type Arrived, type Beginning, fetchBundle, type Wanted } from './fetch-bundle.ts'
import type { Link, Watched } from './link.ts'
import { isOutOfReach } from './out-of-reach.ts'
import { overLink } from './over-link.ts'
import { PeerDown } from './peer-down.ts'
import type { PeerRequests } from './peer-requests.ts'
import type { Slabs } from './slabs.ts'

export interface FetchSmallOptions {
  /** To the sender. */
  readonly requests: PeerRequests
  readonly link: Link
  readonly signal: AbortSignal
  /** As of a bundle. */
  readonly slabs?: Slabs | undefined
  /** Told of each that came, in order; the next bytes are read when it has resolved. */
  readonly onFile: (index: number, arrived: Arrived) => Promise<void>
  /** One did not come, and it is not the link's fault; the next ones come when it has resolved. */
  readonly onMissing: (index: number, error: unknown) => Promise<void>
  /** A bundle ended: it may be long before more comes. */
  readonly onEnd?: (() => void) | undefined
}

/** @throws PeerDown, the signal's reason, what the callbacks throw */
export async function fetchSmall(files: readonly Wanted[], options: FetchSmallOptions): Promise<void> {
  const { link, signal, onFile, onMissing, onEnd } = options
  for (let at = 0; at < files.length; ) {
    const first = at
    const { count, beginning, error } = await fetchBundle(files.slice(at), {
      ...options,
      onFile: (index, arrived) => onFile(first + index, arrived),
    })
    onEnd?.()
    at += count
    const file = files[at]
    if (!file) return
    const isLinks = isOutOfReach(error)
    if (isLinks) await link.untilBack(error, signal)
    const whole = beginning && (await fetchRest(file, beginning, options))
    if (whole) await onFile(at++, whole)
    else if (count === 0 && !isLinks) {
      // Not even the first one came.
      await onMissing(at++, error ?? new LibrarianError('BadAnswer', 'its sender does not send it'))
    }
  }
}

/** What is cheaper fetched again than asked for. */
const LITTLE = 64 << 10

/** All of it; undefined: it is to be fetched from its beginning. */
async function fetchRest(
  { name, size }: Wanted,
  { bytes, length }: Beginning,
  { requests, link, signal }: FetchSmallOptions,
): Promise<Uint8Array | undefined> {
  if (length < LITTLE) return undefined
  let at = length
  const go = async (watched: Watched) => {
    const headers = { range: `bytes=${at}-` }
    const response = await requests.send(dataUrl(requests.address, name), { headers, signal: watched.signal })
    const isRest = response.headers['content-range'] === `bytes ${at}-${size - 1}/${size}`
    if (response.statusCode !== 206 || !isRest) return void response.destroy()
    for await (const piece of response as AsyncIterable<Uint8Array>) {
      watched.beat()
      if (piece.length > size - at) return
      bytes.set(piece, at)
      at += piece.length
    }
  }
  await overLink(link, signal, go).catch(error => {
    signal.throwIfAborted()
    if (error instanceof PeerDown) throw error
  })
  return at === size ? bytes : undefined
}
