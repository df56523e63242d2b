/**
 * The one error class of the librarian's wire and the one table of its codes, with HTTP status and remedy. Services throw
 * these and know nothing of HTTP; the server's one error exit answers them; the client turns answers back into them.
 */

interface ErrorKind {
  /** HTTP status, unless the endpoint's own table says another. */
  readonly status: number
  /** Whether the same request may succeed later. */
  readonly retriable: boolean
  /** What the reader can do, as one sentence. */
  readonly remedy: string
}

/** Every code with its status, its remedy, and whether the same request may succeed later. */
export const errorTable = {
  BadRequest: { status: 422, retriable: false, remedy: 'Correct the request; the message names the field.' },
  BadSize: { status: 400, retriable: false, remedy: 'Check you are trying to upload a valid file.' },
  BadName: {
    status: 400,
    retriable: false,
    remedy: 'Choose a relative name without `..`, control characters or empty parts.',
  },
  NotAuthenticated: { status: 401, retriable: false, remedy: 'Send a user name and a password.' },
  Denied: { status: 401, retriable: false, remedy: 'Check the password and that this user may do this.' },
  /** Of the dashboard: no challenge goes with it, or the browser would ask for a password by itself. */
  NoSession: { status: 401, retriable: false, remedy: 'Log in again.' },
  /** To callers who are known already. */
  Forbidden: { status: 403, retriable: false, remedy: 'Ask an administrator: your level does not allow this.' },
  /** The thing is there and another’s: answered like what is not there, unless the endpoint says otherwise. */
  NotYours: { status: 404, retriable: false, remedy: 'Check the number, and who you are logged in as.' },
  NoEndpoint: { status: 404, retriable: false, remedy: 'Check the address; an older librarian may lack this call.' },
  WrongMethod: { status: 405, retriable: false, remedy: 'Use POST.' },
  UnknownStore: { status: 404, retriable: false, remedy: 'Choose one of the stores that `arriero stores` lists.' },
  UnknownLibrarian: {
    status: 404,
    retriable: false,
    remedy: 'Add the librarian first, or choose one that `arriero librarians` lists.',
  },
  NotFound: { status: 404, retriable: false, remedy: 'Check what was asked for: nothing here is called so.' },
  FileExists: {
    status: 409,
    retriable: false,
    remedy: 'Choose another name: what is kept under a name never changes.',
  },
  NameTaken: {
    status: 409,
    retriable: true,
    remedy: 'Another upload of this name is in progress; try again when it has ended.',
  },
  /** A clone of the same file is under way. */
  TransferOngoing: { status: 425, retriable: true, remedy: 'Wait for the transfer that is under way, then try again.' },
  /** An earlier attempt was ended by this one. */
  TransferReplaced: {
    status: 406,
    retriable: true,
    remedy: 'End your own transfer of the earlier attempt, then try again.',
  },
  Conflict: { status: 409, retriable: false, remedy: 'Look at the present state, then decide.' },
  TooLarge: { status: 413, retriable: false, remedy: 'Ask the operator for a larger limit, or send less at once.' },
  NoStore: { status: 413, retriable: true, remedy: 'No store has room for this now; tell the operator.' },
  StoreUnavailable: {
    status: 503,
    retriable: true,
    remedy: 'Tell the operator, with what the message says of the store.',
  },
  NoSpace: { status: 507, retriable: true, remedy: 'Free some space on the store; then try again.' },
  StagedNotFound: { status: 404, retriable: false, remedy: 'Copy the file to the staging location, then commit.' },
  Mismatch: {
    status: 406,
    retriable: true,
    remedy: 'The bytes that arrived are not those that were announced; upload again.',
  },
  Unacceptable: {
    status: 406,
    retriable: false,
    remedy: 'Replace links, devices and pipes by ordinary files; then upload again.',
  },
  BadArchive: {
    status: 400,
    retriable: false,
    remedy: 'Send a POSIX archive (ustar or pax) of plain files and directories, each once and under a portable name.',
  },
  IdempotencyMismatch: { status: 422, retriable: false, remedy: 'Use a new Idempotency-Key for another request.' },
  Locked: {
    status: 423,
    retriable: true,
    remedy: 'An earlier request for this upload is ending; try again in a moment.',
  },
  Gone: { status: 410, retriable: false, remedy: 'Announce the upload again and begin it anew.' },
  PieceMismatch: { status: 460, retriable: true, remedy: 'Send this piece again: other bytes arrived than were sent.' },
  Busy: { status: 503, retriable: true, remedy: 'Try again in a moment.' },
  TooMany: { status: 429, retriable: true, remedy: 'Wait as long as Retry-After says.' },
  Unsupported: { status: 415, retriable: false, remedy: 'Send plain JSON without compression.' },
  /** Known, and kept here once; whoever asks again has the same answer until somebody mends a copy. */
  NoGoodCopy: {
    status: 409,
    retriable: false,
    remedy: 'Tell the operator: `arriero validate` reads every copy and says what is wrong with it.',
  },
  KeepsLastCopy: {
    status: 400,
    retriable: false,
    remedy: 'Make another verified copy first; the last good copy is never deleted.',
  },
  OutcomeUnknown: {
    status: 503,
    retriable: true,
    remedy: 'Send the same request again, with the same Idempotency-Key if it had one: it may have been done.',
  },
  PeerUnreachable: { status: 503, retriable: true, remedy: 'Check the other librarian’s address and that it runs.' },
  /** What answered is no librarian, or answers what it must not. */
  BadAnswer: { status: 502, retriable: false, remedy: 'Check the address, and which release runs there.' },
  Configuration: { status: 500, retriable: false, remedy: 'Correct the settings, then start it again.' },
  Internal: { status: 500, retriable: true, remedy: 'Tell the operator; the server’s log has more.' },
} as const satisfies Record<string, ErrorKind>

/** What went wrong, as a word that a program can act on. */
export type ErrorCode = keyof typeof errorTable

/** Fields that an answer carries besides reason and remedy, by their wire names. */
export type ErrorFields = Readonly<Record<string, unknown>>

/** What an error carries besides code and message. */
export interface LibrarianErrorOptions {
  /** Overrides the table's sentence where one case differs. */
  readonly remedy?: string | undefined
  readonly fields?: ErrorFields | undefined
  /** Earliest time to try again, seconds from now. */
  readonly retryAfterSeconds?: number | undefined
  readonly cause?: unknown
}

/** A failure that callers may hear of. The message says what was tried, what must hold, what was met; never a secret. */
export class LibrarianError extends Error {
  override readonly name = 'LibrarianError'
  readonly code: ErrorCode
  readonly remedy: string
  readonly fields: ErrorFields
  readonly retryAfterSeconds: number | undefined

  constructor(code: ErrorCode, message: string, options: LibrarianErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.remedy = options.remedy ?? errorTable[code].remedy
    this.fields = options.fields ?? {}
    this.retryAfterSeconds = options.retryAfterSeconds
  }

  get isRetriable(): boolean {
    return errorTable[this.code].retriable
  }
}
