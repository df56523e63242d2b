/** Bytes of one piece at most. */
const PIECE = 1 << 20

/** Some pieces of a body as one. */
export interface Gathered {
  readonly length: number
  copyTo(bytes: Uint8Array): void
}

/**
 * The body in pieces worth a write. No slot is held while the network is waited for, or slow uploads would hold them all. A body
 * that breaks off, and an abort, end it: what came is kept.
 */
export async function* gathered(
  body: AsyncIterable<Uint8Array>,
  limit: number,
  pieceSize: () => number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Gathered> {
  let pieces: Uint8Array[] = []
  let length = 0
  let room = limit
  for await (const piece of untilBroken(body, signal)) {
    for (let at = 0; at < piece.length && room > 0; ) {
      const part = piece.subarray(at, at + Math.min(PIECE - length, room))
      at += part.length
      room -= part.length
      pieces.push(part)
      length += part.length
      if (length < pieceSize()) continue
      yield asOne(pieces, length)
      pieces = []
      length = 0
    }
    if (room === 0) break
  }
  if (length > 0) yield asOne(pieces, length)
}

function asOne(pieces: readonly Uint8Array[], length: number): Gathered {
  return {
    length,
    copyTo(bytes) {
      let at = 0
      for (const piece of pieces) {
        bytes.set(piece, at)
        at += piece.length
      }
    },
  }
}

async function* untilBroken(
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const iterator = body[Symbol.asyncIterator]()
  // Not a race against one promise of the abort: that promise would hold on to every piece until the end.
  let wake = () => {}
  const onAbort = () => wake()
  signal?.addEventListener('abort', onAbort, { once: true })
  const next = () =>
    new Promise<IteratorResult<Uint8Array> | undefined>((resolve, reject) => {
      wake = () => resolve(undefined)
      iterator.next().then(resolve, reject)
    })
  try {
    while (!signal?.aborted) {
      const piece = await next()
      if (!piece || piece.done) return
      yield piece.value
    }
  } catch {
    // The offset tells how much came; who sends the rest asks for it first.
  } finally {
    signal?.removeEventListener('abort', onAbort)
    // A body that hangs must not hold us.
    void Promise.resolve(iterator.return?.()).catch(() => {})
  }
}
