/**
 * The task engine (design 7): brings work to whichever process may do it. It only delivers: what was done is in the catalogue,
 * and writes that name their owner make it safe to deliver twice (reliability E1–E3). `embedded.ts` and `pg-boss.ts` pass one
 * suite (`test/engine-suite.ts`).
 */
export interface TaskEngine extends AsyncDisposable {
  /** Says how one kind of work is done. Before `work`. */
  handle(queue: string, handler: Handler, options?: QueueOptions): Promise<void>

  /**
   * Wants a piece of work done: once, however often it is wanted before it begins, at the earliest time that somebody wants.
   * Wanted while it runs, it runs again. Durable when it resolves.
   *
   * @param queue letters, digits, `_`, `-`, `/`
   * @param key of the piece within the queue: what is to be done must be found by it, since nothing else is delivered
   */
  want(queue: string, key: string, options?: WantOptions): Promise<void>

  /** Does what is wanted, until the signal; resolves when what this process had begun has ended. Once. */
  work(signal: AbortSignal): Promise<void>
}

/**
 * Resolves: the piece is done, or wants to be done again later. Rejects: it is delivered again, after a pause that grows to an
 * hour; once the signal has aborted, soon, and to whoever is there. Runs of one piece come one after the other, but for a
 * process that was taken for dead and is not.
 *
 * @param signal the process stops, or the piece is another's now
 */
export type Handler = (
  key: string,
  context: { readonly signal: AbortSignal },
) => Promise<undefined | { readonly againInMs: number }>

export interface QueueOptions {
  /** Pieces at once, of this process. Default 1. */
  readonly atOnce?: number | undefined
  /**
   * Pieces at once, of all processes; default: no bound but `atOnce` of each. Processes that take at the very same moment may
   * exceed it: what must not is refused by the handler.
   */
  readonly atOnceEverywhere?: number | undefined
  /** A process that did not say for so long that it is alive has lost its pieces. Default 30, least 20. */
  readonly heartbeatSeconds?: number | undefined
}

export interface WantOptions {
  /** Not before so many milliseconds, by the database's clock. Default: now. */
  readonly inMs?: number | undefined
  /** Greater goes first. Default 0. */
  readonly priority?: number | undefined
}

/** A piece that failed so often that somebody should look; it is tried again all the same, every hour. */
export interface Poison {
  readonly queue: string
  readonly key: string
  readonly attempts: number
  readonly reason: string
}

/** Attempts after which a piece is `Poison` (reliability 8.15). */
export const POISON_ATTEMPTS = 10

export const HEARTBEAT_SECONDS = 30
