/**
 * One writer at a time for each upload (reliability 5). A newer request asks the older one to stop, because the older one's
 * sender may be long gone without our knowing; until it has stopped, nobody else writes.
 */
import { LibrarianError } from '@arriero/api'

export interface WritersOptions {
  /** How long a newer request waits for an older one to stop; ms. Default 5000. */
  readonly patienceMs?: number | undefined
}

/** Leave to write, until it is disposed of. */
export interface Turn extends Disposable {
  /** Aborted when somebody newer wants to write. */
  readonly signal: AbortSignal
}

interface Running {
  readonly stop: AbortController
  readonly ended: Promise<void>
}

export class Writers {
  readonly #patienceMs: number
  readonly #running = new Map<string, Running>()
  /** Newest request per upload: an older one that still waits gives up. */
  readonly #newest = new Map<string, symbol>()

  constructor({ patienceMs = 5000 }: WritersOptions = {}) {
    this.#patienceMs = patienceMs
  }

  /** @throws LibrarianError Locked */
  async enter(id: string): Promise<Turn> {
    const me = Symbol(id)
    this.#newest.set(id, me)
    const deadline = performance.now() + this.#patienceMs
    for (let older = this.#running.get(id); older; older = this.#running.get(id)) {
      older.stop.abort(new LibrarianError('Locked', 'A newer request wants to write'))
      const isOver = await endsWithin(older.ended, deadline - performance.now())
      if (!isOver || this.#newest.get(id) !== me) throw locked(id)
    }
    return this.#begin(id, me)
  }

  #begin(id: string, me: symbol): Turn {
    const stop = new AbortController()
    const { promise: ended, resolve } = Promise.withResolvers<void>()
    this.#running.set(id, { stop, ended })
    return {
      signal: stop.signal,
      [Symbol.dispose]: () => {
        this.#running.delete(id)
        if (this.#newest.get(id) === me) this.#newest.delete(id)
        resolve()
      },
    }
  }
}

function locked(id: string): LibrarianError {
  return new LibrarianError('Locked', `Cannot write to upload ${id} yet: another request is writing to it`, {
    retryAfterSeconds: 1,
  })
}

async function endsWithin(ended: Promise<void>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>(resolve => {
    timer = setTimeout(resolve, Math.max(0, ms), false)
  })
  try {
    return await Promise.race([ended.then(() => true), late])
  } finally {
    clearTimeout(timer)
  }
}
