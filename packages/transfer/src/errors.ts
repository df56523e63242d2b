/**
 * The one error class of the engine and the one table of its codes (retrieval 17).
 *
 * A message says what was tried, what must hold and what was met. URLs in errors are always redacted.
 */

/** What went wrong, as a word that a program can act on. */
export type ErrorCode = keyof typeof errorTable

interface ErrorKind {
  /** Whether trying the same thing again may help. */
  readonly retriable: boolean
  /** What the reader can do about it, as one sentence. */
  readonly remedy: string
}

/** Every code with its remedy. */
export const errorTable = {
  Usage: { retriable: false, remedy: 'Correct the arguments; see the command’s --help.' },
  Unsupported: { retriable: false, remedy: 'Use a scheme, option or server that supports this.' },
  NotFound: { retriable: false, remedy: 'Check the name; it may have moved or been withdrawn.' },
  Denied: { retriable: false, remedy: 'Check the credentials and that they may read this.' },
  Expired: { retriable: false, remedy: 'Ask for a new URL: this one is no longer valid.' },
  RangeUnsupported: { retriable: false, remedy: 'None needed: the engine goes on with one stream.' },
  Protocol: { retriable: true, remedy: 'The server’s answer was not valid; try again or another mirror.' },
  ResourceChanged: { retriable: false, remedy: 'The file changed while it was fetched; start again.' },
  SizeMismatch: {
    retriable: false,
    remedy: 'Check the expected size, or whether the server sent an error page instead.',
  },
  ChecksumMismatch: { retriable: false, remedy: 'Check the expected checksum; try another mirror.' },
  Unverifiable: { retriable: false, remedy: 'Give a checksum, or drop --require-checksum.' },
  AmbiguousEncoding: { retriable: false, remedy: 'Say --keep-encoding to store the bytes as they were sent.' },
  Throttled: { retriable: true, remedy: 'The server asked for patience; try again later.' },
  Timeout: { retriable: true, remedy: 'Check the network; try again.' },
  LowSpeed: { retriable: true, remedy: 'The connection was too slow; try again or lower --low-speed.' },
  Network: { retriable: true, remedy: 'Check the address and the network; then run the same command again.' },
  Tls: { retriable: false, remedy: 'The server’s certificate was not accepted; check the host name and the clock.' },
  Redirect: { retriable: false, remedy: 'The server’s redirects cannot be followed safely.' },
  Disk: { retriable: false, remedy: 'Check the path and its permissions.' },
  NoSpace: { retriable: false, remedy: 'Free some space; then run the same command again.' },
  PathUnsafe: { retriable: false, remedy: 'Choose the file name yourself.' },
  Exists: { retriable: false, remedy: 'Say what to do with --if-exists skip|overwrite|rename|verify|repair.' },
  Locked: { retriable: false, remedy: 'Another process is fetching this file; wait for it or choose another name.' },
  HookFailed: { retriable: false, remedy: 'Mend the hook, or go without it.' },
  StageFailed: { retriable: false, remedy: 'A function of the pipeline failed; see the place in it.' },
  Cancelled: { retriable: false, remedy: 'Run the same command again.' },
} as const satisfies Record<string, ErrorKind>

/** Where it happened and what was met; every property is optional. */
export interface ErrorDetails {
  /** Redacted URL. */
  readonly url?: string | undefined
  /** Finer than the code, for programs: `token_expired`, `no_id`. */
  readonly reason?: string | undefined
  /** What the source calls it, where it told before it failed. */
  readonly name?: string | undefined
  /** Target path. */
  readonly file?: string | undefined
  /** Range of the part, end exclusive. */
  readonly part?: { readonly start: number; readonly end: number } | undefined
  /** HTTP status, or the code of an FTP reply. */
  readonly status?: number | undefined
  readonly attempts?: number | undefined
  /** For ChecksumMismatch and SizeMismatch. */
  readonly algorithm?: string | undefined
  readonly expected?: string | undefined
  readonly actual?: string | undefined
  /** For Throttled: earliest time to try again, milliseconds since 1970. */
  readonly until?: number | undefined
  /** For Timeout: `connect`, `first byte` or `idle`. */
  readonly phase?: string | undefined
  /** For NoSpace, bytes. */
  readonly needed?: number | undefined
  readonly free?: number | undefined
  /** For Locked: who holds the target. */
  readonly owner?: string | undefined
  readonly cause?: unknown
  /** Overrides the table where one case differs from its kind. */
  readonly retriable?: boolean | undefined
  /** What the reader can do, where the table's sentence does not fit the case. */
  readonly remedy?: string | undefined
}

/** Every failure that the engine reports on purpose. An abort is not one: it passes through as the signal's reason. */
export class TransferError extends Error {
  override readonly name = 'TransferError'
  readonly code: ErrorCode
  readonly retriable: boolean
  readonly details: ErrorDetails

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.retriable = details.retriable ?? errorTable[code].retriable
    this.details = details
  }

  get url(): string | undefined {
    return this.details.url
  }

  get status(): number | undefined {
    return this.details.status
  }

  /** One sentence on what the reader can do. */
  get remedy(): string {
    return this.details.remedy ?? errorTable[this.code].remedy
  }

  /** The same error with more knowledge of where it happened. */
  with(details: ErrorDetails): TransferError {
    const copy = new TransferError(this.code, this.message, { ...this.details, ...details })
    copy.stack = this.stack ?? ''
    return copy
  }
}

/** Whether trying again may help: unknown errors are not retried. */
export function isRetriable(error: unknown): boolean {
  return error instanceof TransferError && error.retriable
}
