/**
 * What is known of one bucket: where it is, and who asks. What an answer teaches (another region, another clock, expired
 * credentials) holds for all that come after.
 */

import type { TransferError } from '../../errors.ts'
import type { HttpCredentials } from '../../http/credentials.ts'
import type { RequestHeaders } from '../../http/request-headers.ts'
import type { FailedAnswer } from '../../http/source-options.ts'
import type { Container } from './address.ts'
import { type FailureContext, S3Answer, s3AnswerOf, s3Failure } from './answer.ts'
import type { CredentialKeeper } from './credential-keeper.ts'
import type { S3Credentials } from './options.ts'
import { type Place, placeAfter } from './place.ts'
import type { S3Settings } from './settings.ts'
import { SignerV4 } from './sign-v4.ts'

/** What all buckets of one account share. */
export interface Account {
  readonly settings: S3Settings
  readonly keeper: CredentialKeeper
  /** The store's clock less ours, ms. */
  skewMs: number
  now(): number
}

/** A place with the credentials for it: connections are shared by those who ask through the same one. */
export interface Seat {
  readonly place: Place
  /** Makes the headers of each request; also where nothing is signed. */
  credentials(extra: RequestHeaders): HttpCredentials
}

/** Clocks that differ by less are no reason for a refusal. */
const LEAST_SKEW_MS = 60_000
/** Questions put again within one request: each kind of refusal is mended once. */
const MOST_MENDS = 5

const SKEWED = /^(RequestTimeTooSkewed|RequestExpired|RequestInTheFuture)$/
const EXPIRED = /^(ExpiredToken|ExpiredTokenException|TokenRefreshRequired|InvalidToken)$/
const ELSEWHERE =
  /^(PermanentRedirect|TemporaryRedirect|Redirect|AuthorizationHeaderMalformed|IllegalLocationConstraintException|InvalidRegion)$/

export class Bucket {
  readonly container: Container
  readonly account: Account
  #seat: Seat
  /** False: reading versions by their id is denied although reading the newest is not. */
  mayPin = true

  constructor(container: Container, account: Account, place: Place) {
    this.container = container
    this.account = account
    this.#seat = new BucketSeat(place, account)
  }

  get seat(): Seat {
    return this.#seat
  }

  /**
   * Runs `ask` where the bucket is known to be; again, when its failure taught something that helps. Nothing of an answer
   * may have been used when `ask` rejects with what S3 answered.
   */
  async ask<T>(ask: (seat: Seat) => Promise<T>, signal: AbortSignal): Promise<T> {
    const mended = new Set<string>()
    for (;;) {
      const seat = this.#seat
      try {
        return await ask(seat)
      } catch (error) {
        const answer = s3AnswerOf(error)
        if (!answer || mended.size >= MOST_MENDS) throw error
        const mending = await this.#mend(answer, seat)
        signal.throwIfAborted()
        if (mending === undefined || mended.has(mending)) throw error
        mended.add(mending)
      }
    }
  }

  /** For `HttpSourceOptions.explain`. */
  failureOf(failed: FailedAnswer, context: Pick<FailureContext, 'uri' | 'verb'>): TransferError {
    const { account, container } = this
    const credentials = account.keeper.held
    const unsigned = account.settings.anonymous ? 'it is anonymous' : 'no credentials were found'
    return s3Failure(new S3Answer(failed), {
      ...context,
      bucket: container.name,
      unsigned: credentials ? undefined : unsigned,
      secrets: credentials ? [credentials.secretAccessKey, credentials.sessionToken ?? ''] : [],
      now: account.now(),
    })
  }

  /** What was done about it, as a word; undefined: nothing helps. */
  async #mend(answer: S3Answer, seat: Seat): Promise<string | undefined> {
    const { account } = this
    const { code = '', status, date } = answer
    // Another request was told the same a moment ago.
    if (seat !== this.#seat) return `moved to ${this.#seat.place.origin} ${this.#seat.place.region}`
    if (SKEWED.test(code) && date !== undefined) {
      const skewMs = date - account.now()
      if (Math.abs(skewMs - account.skewMs) < LEAST_SKEW_MS) return 'clock'
      account.skewMs = skewMs
      return 'clock'
    }
    if (EXPIRED.test(code)) {
      return (await account.keeper.renew(account.keeper.held)) ? 'credentials' : undefined
    }
    const isElsewhere = ELSEWHERE.test(code) || (status >= 300 && status < 400) || answer.region !== undefined
    if (!isElsewhere || status === 404) return undefined
    const place = placeAfter(seat.place, answer, this.container, account.settings)
    if (!place) return undefined
    this.#seat = new BucketSeat(place, account)
    return `moved to ${place.origin} ${place.region}`
  }
}

class BucketSeat implements Seat {
  readonly place: Place
  readonly #account: Account
  readonly #credentials = new Map<string, HttpCredentials>()
  #signer: SignerV4 | undefined

  constructor(place: Place, account: Account) {
    this.place = place
    this.#account = account
  }

  credentials(extra: RequestHeaders): HttpCredentials {
    const key = JSON.stringify(extra)
    let made = this.#credentials.get(key)
    if (!made) {
      made = {
        headers: ({ method, url, target = url.pathname + url.search }) => this.#headers(method, url, target, extra),
      }
      this.#credentials.set(key, made)
    }
    return made
  }

  #headers(method: string, url: URL, target: string, extra: RequestHeaders): RequestHeaders | Promise<RequestHeaders> {
    const credentials = this.#account.keeper.current()
    const sign = (held: S3Credentials | undefined) => {
      if (!held) return extra
      if (this.#signer?.credentials !== held) this.#signer = new SignerV4(held, this.place.region)
      const now = this.#account.now() + this.#account.skewMs
      return this.#signer.sign({ method, host: url.host, target, headers: extra, now })
    }
    return credentials instanceof Promise ? credentials.then(sign) : sign(credentials)
  }
}
