/** The objects of one host: what is known of them, and URLs that open them (gen3 5.3, 6.1–6.3). */
import { type Clock, systemClock } from '../clock.ts'
import { TransferError } from '../errors.ts'
import { retryAfter } from '../http/retry-after.ts'
import { oneHeader } from '../integrity/headers.ts'
import { type ApiAnswer, jsonOf } from './api.ts'
import { Batcher } from './batcher.ts'
import { encodeId, type IdSpelling, idSpellings } from './encode-id.ts'
import { type CommonsObject, headersOf, objectFromDrs, objectFromIndexd } from './object.ts'
import type { Service } from './service.ts'

/** An address that can be fetched now, and what to send along. */
export interface Access {
  readonly url: string
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Named by a host that nobody here named: where it redirects to must be looked at, too. */
  readonly isForeign?: boolean | undefined
}

export interface ObjectsOptions {
  readonly service: Service
  /** Google project that pays. */
  readonly userProject?: string | undefined
  /** How long to wait for an archived object, ms. Default 600,000. */
  readonly mostThawMs?: number | undefined
  readonly clock?: Clock | undefined
}

/** Fence: a failure of the signing bucket rarely passes. */
const FENCE_RETRIES = { 500: 2 }
/** indexd documents no limit; large questions are slow to answer. */
const MOST_RECORDS = 1000
const MOST_URLS = 100
const THAW_MS = 10_000

export class Objects {
  readonly #service: Service
  readonly #options: ObjectsOptions
  readonly #clock: Clock
  readonly #records: Batcher<string, CommonsObject>
  readonly #urls = new Map<string, Batcher<string, Access>>()
  readonly #never = new AbortController().signal
  #spelling: IdSpelling | undefined

  constructor(options: ObjectsOptions) {
    this.#service = options.service
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#records = new Batcher({ ask: ids => this.#askRecords(ids), most: MOST_RECORDS })
  }

  /**
   * What is known of an object.
   *
   * @param ids spellings of its id, likelier first
   * @param shown for messages
   * @throws TransferError NotFound, Denied and the like
   */
  async get(ids: readonly string[], shown: string, signal: AbortSignal): Promise<CommonsObject> {
    const { isGen3, lacks } = this.#service
    if (isGen3 && !lacks.has('bulk records')) {
      const found = await this.#records.get(ids[0] as string)
      signal.throwIfAborted()
      if (found) return found
    }
    return this.#getOne(ids, shown, signal)
  }

  /** A URL for one of its ways; Gen3 hosts also take undefined: the first one. */
  async access(
    id: string,
    way: { readonly type?: string | undefined; readonly accessId?: string | undefined },
    shown: string,
    signal: AbortSignal,
  ): Promise<Access> {
    if (!this.#service.isGen3) return this.#drsAccess(id, way.accessId ?? '', shown, signal)
    const protocol = way.type ?? ''
    const found = await this.#batchedAccess(id, protocol)
    signal.throwIfAborted()
    return found ?? this.#fenceAccess(id, protocol, shown, signal)
  }

  // Records

  async #getOne(ids: readonly string[], shown: string, signal: AbortSignal): Promise<CommonsObject> {
    const service = this.#service
    let answer: ApiAnswer | undefined
    for (const id of ids) {
      for (const spelling of idSpellings(id, service.isGen3, this.#spelling)) {
        answer = await service.ask(`/ga4gh/drs/v1/objects/${encodeId(id, spelling)}`, { signal })
        if (answer.status === 404 || answer.status === 410) continue
        if (answer.status !== 200) throw await service.failure(answer, `Cannot find ${shown}`, signal)
        this.#spelling = spelling
        const found = objectFromDrs(jsonOf(answer, service.base))
        if (found) return found
        throw odd(shown, service.host)
      }
    }
    const record = service.isGen3 ? await this.#record(ids[0] as string, signal) : undefined
    if (record) return record
    throw await service.failure(answer as ApiAnswer, `Cannot find ${shown}`, signal)
  }

  /** Also by indexd's own search: aliases, and records of other commons. */
  async #record(id: string, signal: AbortSignal): Promise<CommonsObject | undefined> {
    const answer = await this.#service.ask(`/index/${encodeId(id, 'raw')}`, { signal })
    if (answer.status !== 200 || /^\s*</.test(answer.body)) return undefined
    return objectFromIndexd(jsonOf(answer, this.#service.base))
  }

  async #askRecords(ids: readonly string[]): Promise<ReadonlyMap<string, CommonsObject>> {
    const found = new Map<string, CommonsObject>()
    // One alone is asked for in the ordinary way, which says more when it fails.
    if (ids.length < 2 || this.#service.lacks.has('bulk records')) return found
    const answer = await this.#service.ask('/index/bulk/documents', { signal: this.#never, body: JSON.stringify(ids) })
    const isUsable = answer.status === 200 && /^\s*\[/.test(answer.body)
    if (!isUsable) this.#service.lacks.add('bulk records')
    const records = isUsable ? (jsonOf(answer, this.#service.base) as unknown[]) : []
    for (const object of records.map(objectFromIndexd)) if (object) found.set(object.id, object)
    return found
  }

  // URLs

  async #drsAccess(id: string, accessId: string, shown: string, signal: AbortSignal): Promise<Access> {
    const service = this.#service
    const [spelling] = idSpellings(id, service.isGen3, this.#spelling)
    const path = `/ga4gh/drs/v1/objects/${encodeId(id, spelling as IdSpelling)}/access/${encodeURIComponent(accessId)}`
    const answer = await this.#thawed(() => service.ask(path, { signal }), shown, signal)
    if (answer.status !== 200) throw await service.failure(answer, `Cannot fetch ${shown}`, signal)
    return accessFrom(jsonOf(answer, service.base)) ?? fail(odd(shown, service.host))
  }

  async #fenceAccess(id: string, protocol: string, shown: string, signal: AbortSignal): Promise<Access> {
    const service = this.#service
    const path = `/user/data/download/${encodeId(id, 'raw')}${this.#query(protocol)}`
    const ask = () => service.ask(path, { signal, retries: FENCE_RETRIES })
    const answer = await this.#thawed(ask, shown, signal)
    if (answer.status !== 200) throw await service.failure(answer, `Cannot fetch ${shown}`, signal)
    return accessFrom(jsonOf(answer, service.base)) ?? fail(odd(shown, service.host))
  }

  #query(protocol: string): string {
    const query = new URLSearchParams()
    if (protocol !== '') query.set('protocol', protocol)
    if (this.#options.userProject !== undefined) query.set('userProject', this.#options.userProject)
    return query.size > 0 ? `?${query}` : ''
  }

  /** 202: it is being brought back from an archive. */
  async #thawed(ask: () => Promise<ApiAnswer>, shown: string, signal: AbortSignal): Promise<ApiAnswer> {
    const clock = this.#clock
    const deadline = clock.now() + (this.#options.mostThawMs ?? 600_000)
    for (;;) {
      const answer = await ask()
      if (answer.status !== 202) return answer
      const now = clock.wallNow()
      const until = retryAfter(oneHeader(answer.headers, 'retry-after'), now) ?? now + THAW_MS
      if (clock.now() + (until - now) > deadline) {
        const message = `Cannot fetch ${shown}: it is archived, and ${this.#service.host} is still bringing it back`
        throw new TransferError('Throttled', message, { status: 202, until, reason: 'archived', retriable: false })
      }
      await clock.sleep(until - now, signal)
    }
  }

  /** Undefined: not to be had in bulk; the single question will tell more. */
  async #batchedAccess(id: string, protocol: string): Promise<Access | undefined> {
    if (this.#service.lacks.has('bulk urls')) return undefined
    let batcher = this.#urls.get(protocol)
    if (!batcher) {
      batcher = new Batcher({ ask: ids => this.#askUrls(ids, protocol), most: MOST_URLS })
      this.#urls.set(protocol, batcher)
    }
    return batcher.get(id)
  }

  async #askUrls(guids: readonly string[], protocol: string): Promise<ReadonlyMap<string, Access>> {
    const found = new Map<string, Access>()
    const service = this.#service
    if (guids.length < 2 || service.lacks.has('bulk urls')) return found
    const body = JSON.stringify({ guids })
    const path = `/user/data/download/bulk${this.#query(protocol)}`
    const answer = await service.ask(path, { signal: this.#never, body, retries: FENCE_RETRIES })
    const isUsable = answer.status === 200 && /^\s*\{/.test(answer.body)
    // Refused for one of them, or for all: the single questions find out.
    if ([404, 405, 501].includes(answer.status) || (!isUsable && answer.status < 400)) service.lacks.add('bulk urls')
    const { urls } = isUsable ? (jsonOf(answer, service.base) as { urls?: unknown }) : {}
    for (const one of Array.isArray(urls) ? urls : []) {
      const access = accessFrom(one)
      if (access && typeof one?.drs_object_id === 'string') found.set(one.drs_object_id, access)
    }
    return found
  }
}

function accessFrom(value: unknown): Access | undefined {
  const { url, headers } = (value ?? {}) as { url?: unknown; headers?: unknown }
  return typeof url === 'string' && url !== '' ? { url, headers: headersOf(headers) } : undefined
}

function odd(shown: string, host: string): TransferError {
  const message = `Cannot use what ${host} says of ${shown}: it is not what DRS prescribes`
  return new TransferError('Protocol', message, { reason: 'unexpected_answer', retriable: false })
}

function fail(error: TransferError): never {
  throw error
}
