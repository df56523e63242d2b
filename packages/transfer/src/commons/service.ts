/** One host of a commons, asked by somebody: the token goes along, and is renewed once when it is refused (gen3 2.3, 2.4). */
import { TransferError } from '../errors.ts'
import { retryAfter } from '../http/retry-after.ts'
import { oneHeader } from '../integrity/headers.ts'
import { answerText } from './answer-text.ts'
import type { Api, ApiAnswer, ApiRequest } from './api.ts'
import type { Authority } from './authority.ts'

export interface ServiceOptions {
  readonly api: Api
  /** Scheme, host and port. */
  readonly base: string
  readonly authority: Authority
  /** Has fence and indexd beside DRS. */
  readonly isGen3: boolean
  /** Nobody here named it. */
  readonly isForeign?: boolean | undefined
  /** How a person gets access, for messages. */
  readonly advice?: string | undefined
}

export interface Question extends Pick<ApiRequest, 'signal' | 'method' | 'body' | 'retries'> {
  readonly headers?: Readonly<Record<string, string>> | undefined
}

export class Service {
  readonly base: string
  readonly isGen3: boolean
  readonly isForeign: boolean
  readonly #api: Api
  readonly #authority: Authority
  readonly #advice: string | undefined
  /** Whether a token that opened nothing is good in itself, by token. */
  readonly #isGood = new Map<string, Promise<boolean>>()
  /** Tokens that were found to be good in themselves. */
  readonly #proven = new Set<string>()
  /** What this host was found not to offer, e.g. `bulk`. */
  readonly lacks = new Set<string>()

  constructor({ api, base, authority, isGen3, isForeign = false, advice }: ServiceOptions) {
    this.base = base
    this.isGen3 = isGen3
    this.isForeign = isForeign
    this.#api = api
    this.#authority = authority
    this.#advice = advice
  }

  get host(): string {
    return new URL(this.base).host
  }

  /** @param path with a leading slash, encoded */
  async ask(path: string, question: Question): Promise<ApiAnswer> {
    const { signal, body, headers } = question
    const put = (token: string | undefined) =>
      this.#api.ask({
        ...question,
        isForeign: this.isForeign,
        url: this.base + path,
        headers: {
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
          ...(token === undefined ? {} : { authorization: `${this.#authority.scheme ?? 'Bearer'} ${token}` }),
        },
      })
    const token = await this.#authority.token(signal)
    const answer = await put(token)
    // Fence refuses what a good token does not open in the same words: another token would not open it either.
    if (answer.status !== 401 || token === undefined || this.#proven.has(token)) return answer
    const renewed = await this.#authority.renew(token, signal)
    return renewed === undefined ? answer : put(renewed)
  }

  /**
   * What a status that is no success means for one object. A 401 is ambiguous: fence says it also of an object that the
   * person may not read, so the token itself is put to the question once.
   *
   * @param what e.g. `Cannot fetch drs://…`
   */
  async failure(answer: ApiAnswer, what: string, signal: AbortSignal): Promise<TransferError> {
    const { status } = answer
    const said = answerText(answer)
    const message = `${what}: ${this.host} answered ${status}${said && `: ${said}`}`
    const fail = (code: 'Denied' | 'NotFound' | 'Protocol', text: string, reason: string) =>
      new TransferError(code, text, { status, reason, retriable: false })
    if (status === 404 || status === 410) return fail('NotFound', message, 'not_found')
    if (status === 401) return this.#unauthorized(message, signal)
    if (status === 403) return fail('Denied', message, 'denied')
    if (status === 429 || status === 503) {
      const until = retryAfter(oneHeader(answer.headers, 'retry-after'), Date.now())
      return new TransferError('Throttled', message, { status, until, retriable: false })
    }
    if (status >= 500) return fail('Protocol', message, 'server_error')
    return fail('Protocol', message, status === 400 ? 'bad_request' : 'unexpected_answer')
  }

  async #unauthorized(message: string, signal: AbortSignal): Promise<TransferError> {
    const token = await this.#authority.token(signal).catch(() => undefined)
    const deny = (text: string, reason: string, remedy?: string) =>
      new TransferError('Denied', text, { status: 401, reason, remedy })
    if (token === undefined) return deny(message, 'needs_credentials', this.#advice)
    if (this.#authority.scheme === 'Basic') return deny(message, 'cred_rejected', CHECK_PASSWORD)
    let isGood = this.#isGood.get(token)
    if (!isGood) {
      isGood = this.ask('/user/user', { signal }).then(({ status }) => status === 200)
      isGood.catch(() => this.#isGood.delete(token))
      this.#isGood.set(token, isGood)
    }
    // Without fence there is nobody to ask: a token that was just renewed is taken for good.
    const isTokenGood = this.isGen3 ? await isGood.catch(() => true) : true
    if (isTokenGood) this.#proven.add(token)
    if (isTokenGood) return deny(`${message} (the login is valid, but this object is not open to it)`, 'denied', ASK)
    return deny(`${message} (the login is not accepted any more)`, 'token_rejected', NEW_KEY)
  }
}

const ASK = 'Ask the commons for access; its profile page shows what is open to you.'
const CHECK_PASSWORD = 'Check the user name and the password, and that this user may read there.'
const NEW_KEY = 'Make a new key on the profile page of the commons.'
