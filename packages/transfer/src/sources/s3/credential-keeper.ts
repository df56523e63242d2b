import { TransferError } from '../../errors.ts'
import type { S3Credentials } from './options.ts'

/** Gives credentials; undefined: there are none, the request is anonymous. */
export type LoadCredentials = (request: { readonly isRefresh: boolean }) => Promise<S3Credentials | undefined>

/** Renewed so long before they expire: a request that was signed in time must not arrive too late. */
const MARGIN_MS = 5 * 60_000
/** Nobody is asked more often than this, as long as what there is still serves. */
const PAUSE_MS = 60_000
/** A failure is the answer for so long: thousands of small objects must not each ask an instance's metadata service. */
const FAILURE_MS = 10_000

/** Keeps credentials fresh; whoever asks together waits for one answer. */
export class CredentialKeeper {
  readonly #load: LoadCredentials
  readonly #now: () => number
  #held: { readonly credentials: S3Credentials | undefined } | undefined
  #loading: Promise<S3Credentials | undefined> | undefined
  #failure: { readonly error: unknown; readonly at: number } | undefined
  #askedAt = Number.NEGATIVE_INFINITY

  constructor(load: LoadCredentials, now: () => number) {
    this.#load = load
    this.#now = now
  }

  /** What was given last; undefined also before anything was. */
  get held(): S3Credentials | undefined {
    return this.#held?.credentials
  }

  /** At once while what is held is fresh, so that a signature costs no promise. */
  current(): S3Credentials | undefined | Promise<S3Credentials | undefined> {
    const held = this.#held
    if (!held) return this.#ask(false)
    const left = (held.credentials?.expiresAt ?? Number.POSITIVE_INFINITY) - this.#now()
    if (left > MARGIN_MS) return held.credentials
    if (left > 0) {
      if (this.#now() - this.#askedAt >= PAUSE_MS) this.#ask(true).catch(() => {})
      return held.credentials
    }
    return this.#ask(true)
  }

  /** The store called these expired. True: there are others now. */
  async renew(refused: S3Credentials | undefined): Promise<boolean> {
    if (!refused) return false
    const isRenewed = (other: S3Credentials | undefined) =>
      other !== undefined && (other.accessKeyId !== refused.accessKeyId || other.sessionToken !== refused.sessionToken)
    if (isRenewed(this.#held?.credentials)) return true
    return isRenewed(await this.#ask(true))
  }

  #ask(isRefresh: boolean): Promise<S3Credentials | undefined> {
    const failure = this.#failure
    if (failure && this.#now() - failure.at < FAILURE_MS) return Promise.reject(failure.error)
    this.#askedAt = this.#now()
    this.#loading ??= this.#load({ isRefresh }).then(
      credentials => {
        this.#loading = undefined
        this.#failure = undefined
        checkCredentials(credentials)
        this.#held = { credentials }
        return credentials
      },
      error => {
        this.#loading = undefined
        this.#failure = { error, at: this.#now() }
        throw error
      },
    )
    return this.#loading
  }
}

/** They become header values: what could end a header line is refused, and not shown. */
function checkCredentials(credentials: S3Credentials | undefined): void {
  if (!credentials) return
  const { accessKeyId, secretAccessKey, sessionToken = '' } = credentials
  if (/^[\x21-\x7e]+$/.test(accessKeyId) && secretAccessKey !== '' && /^[\x21-\x7e]*$/.test(sessionToken)) return
  throw new TransferError(
    'Usage',
    'Cannot use the S3 credentials: they have blanks or control characters, or a part is empty',
  )
}
