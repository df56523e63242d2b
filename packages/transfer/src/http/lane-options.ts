/** Limits on waiting, in milliseconds (retrieval 8.5). */
export interface TimeoutsMs {
  /** Until a connection stands, TLS included. */
  readonly connectMs: number
  /** From the request to the end of the answer's head. */
  readonly firstByteMs: number
  /** Between two reads of a body. */
  readonly idleMs: number
}

export const defaultTimeouts: TimeoutsMs = { connectMs: 10_000, firstByteMs: 30_000, idleMs: 30_000 }

/** What servers are held to under TLS. */
export interface TlsOptions {
  /** PEM; replaces the default authorities. */
  readonly ca?: string | readonly string[] | undefined
  /** False accepts any certificate: loud, and for the caller to record. Default true. */
  readonly rejectUnauthorized?: boolean | undefined
}
