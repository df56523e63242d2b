/** The calls of the transfer service that a batch needs, each with a valid token. */
import type { Clock } from '../../clock.ts'
import { TransferError } from '../../errors.ts'
import { type ExchangeOptions, exchange, type GlobusDocument, type SdkOptions, textOf } from './exchange.ts'
import { type GlobusMethodOptions, globusServices } from './options.ts'
import { GlobusTokens } from './tokens.ts'

type TransferSdk = typeof import('@globus/sdk/services/transfer')
type Call = (
  sdk: TransferSdk,
  given: { readonly headers: Record<string, string> },
  options: SdkOptions,
) => Promise<Response>

/** Tries of a submission whose answer got lost: its number makes it one task all the same. */
const SUBMISSIONS = 3

/** Most events that are asked for; the newest come first. */
const EVENTS = 1000

export class GlobusService {
  readonly #common: Pick<ExchangeOptions, 'fetch' | 'timeoutMs'> & { readonly clock: Clock; readonly origin: string }
  readonly #tokens: GlobusTokens

  constructor(options: GlobusMethodOptions & { readonly clock: Clock }) {
    const services = { ...globusServices, ...options.services }
    const { timeoutMs = 60_000, clock } = options
    const common = { fetch: options.fetch ?? fetch, timeoutMs, clock }
    this.#common = { ...common, origin: services.transfer }
    this.#tokens = new GlobusTokens({ ...options, ...common, origin: services.auth })
  }

  /** @returns the task's number */
  async submit(document: GlobusDocument, signal?: AbortSignal): Promise<string> {
    const purpose = 'submit a transfer to Globus'
    const id = await this.#ask(purpose, signal, (sdk, given, options) =>
      sdk.taskSubmission.submissionId(given, options),
    )
    const payload = { ...document, submission_id: textOf(id, 'value', purpose) }
    for (let tries = 1; ; tries++) {
      try {
        const answer = await this.#ask(purpose, signal, (sdk, given, options) =>
          // What is sent is librarian 9.3, whatever the SDK calls its fields.
          sdk.taskSubmission.submitTransfer({ ...given, payload: payload as never }, options),
        )
        return textOf(answer, 'task_id', purpose)
      } catch (error) {
        if (!isLost(error) || tries === SUBMISSIONS) throw error
      }
    }
  }

  task(id: string, signal?: AbortSignal): Promise<GlobusDocument> {
    return this.#ask(`ask Globus for task ${id}`, signal, (sdk, given, options) =>
      sdk.task.get(segment(id), given, options),
    )
  }

  /** What went wrong so far. */
  async errorEvents(id: string, signal?: AbortSignal): Promise<readonly GlobusDocument[]> {
    const query = { filter: 'is_error:1', limit: EVENTS, offset: 0 }
    const answer = await this.#ask(`ask Globus for the events of task ${id}`, signal, (sdk, given, options) =>
      sdk.task.getEventList(segment(id), { ...given, query: query as never }, options),
    )
    return Array.isArray(answer.DATA) ? (answer.DATA as GlobusDocument[]) : []
  }

  async cancel(id: string, signal?: AbortSignal): Promise<void> {
    await this.#ask(`cancel task ${id} of Globus`, signal, (sdk, given, options) =>
      sdk.task.cancel(segment(id), given, options),
    )
  }

  /** A token that is no longer taken is renewed once. */
  async #ask(purpose: string, signal: AbortSignal | undefined, call: Call): Promise<GlobusDocument> {
    const sdk = await import('@globus/sdk/services/transfer')
    for (let isRenewed = false; ; isRenewed = true) {
      const token = await this.#tokens.get(signal)
      const given = { headers: { Authorization: `Bearer ${token}` } }
      try {
        return await exchange(options => call(sdk, given, options), {
          ...this.#common,
          purpose,
          signal,
          secrets: [token],
        })
      } catch (error) {
        if (isRenewed || !(error instanceof TransferError) || error.status !== 401) throw error
        this.#tokens.forget(token)
      }
    }
  }
}

/** No answer at all: a refusal is one, and says whether to come again. */
function isLost(error: unknown): boolean {
  return (
    error instanceof TransferError &&
    error.status === undefined &&
    (error.code === 'Network' || error.code === 'Timeout')
  )
}

/** It came from an answer once, and stands in a path. */
function segment(id: string): string {
  return encodeURIComponent(id)
}
