/**
 * A source whose address somebody else hands out, and again when it is no longer accepted: presigned URLs that live for
 * minutes, while a transfer takes hours (retrieval 8.3, reliability D4).
 */

import { abortable } from '../abortable.ts'
import { TransferError } from '../errors.ts'
import { expiryOf } from '../http/expiry.ts'
import { redactUrl } from '../redact.ts'
import type { Resource } from '../resource.ts'
import type { FetchRequest, Source, SourceCapabilities } from '../source.ts'

/** How long before its end an address is renewed: so long, or this share of its life if that is shorter (gen3 7.2). */
const EARLY_MS = 60_000
const EARLY_SHARE = 0.2

export interface ResolvingOptions {
  /** The address of now. Asked before the first request, and after one was refused. */
  resolve(): Promise<string>
  open(address: string): Promise<Source>
}

/** Opens what `resolve` says, and something newer when that is refused. */
export async function openResolving(uri: string, options: ResolvingOptions): Promise<Source> {
  const address = await options.resolve()
  return new ResolvingSource(uri, options, address, await options.open(address))
}

class ResolvingSource implements Source {
  readonly uri: string
  readonly #options: ResolvingOptions
  readonly #all: Source[]
  #address = ''
  #obtainedAt = 0
  #expiresAt = Number.POSITIVE_INFINITY
  #current: Source
  #renewing: Promise<void> | undefined

  constructor(uri: string, options: ResolvingOptions, address: string, current: Source) {
    this.uri = redactUrl(uri)
    this.#options = options
    this.#note(address)
    this.#current = current
    this.#all = [current]
  }

  get origin(): string {
    return this.#current.origin
  }

  get capabilities(): SourceCapabilities {
    return this.#current.capabilities
  }

  probe(options: { signal: AbortSignal }): Promise<Resource> {
    return this.#renewed(source => source.probe(options), options.signal)
  }

  fetch(request: FetchRequest): Promise<void> {
    return this.#renewed(source => source.fetch(request), request.signal)
  }

  /** At the address of now: a listing asks again for itself. */
  get list(): Source['list'] {
    const current = this.#current
    return current.list && (request => (current.list as NonNullable<Source['list']>)(request))
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map(source => source.close()))
  }

  /** A refusal comes before any byte: asking again at another address repeats nothing. */
  async #renewed<T>(ask: (source: Source) => Promise<T>, signal: AbortSignal): Promise<T> {
    if (this.#isDying) await this.#renewOnce(signal).catch(error => this.#unlessUsable(error, signal))
    const asked = this.#current
    try {
      return await ask(asked)
    } catch (error) {
      if (!isRefusal(error)) throw error
      // Several requests are refused at once; the first one to say so renews for all.
      if (asked === this.#current) await this.#renewOnce(signal)
      if (asked === this.#current) throw error
      return ask(this.#current)
    }
  }

  /** About to end: a request that is begun now may be refused when it arrives. */
  get #isDying(): boolean {
    const left = this.#expiresAt - Date.now()
    return left < Math.min(EARLY_MS, EARLY_SHARE * (this.#expiresAt - this.#obtainedAt))
  }

  /** What could not be renewed early may still do. */
  #unlessUsable(error: unknown, signal: AbortSignal): void {
    if (signal.aborted || Date.now() >= this.#expiresAt) throw error
  }

  #renewOnce(signal: AbortSignal): Promise<void> {
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = undefined
    })
    return abortable(this.#renewing, signal)
  }

  #note(address: string): void {
    this.#address = address
    this.#obtainedAt = Date.now()
    const url = URL.parse(address)
    this.#expiresAt = (url ? expiryOf(url) : undefined) ?? Number.POSITIVE_INFINITY
  }

  async #renew(): Promise<void> {
    const address = await this.#options.resolve()
    if (address === this.#address) return
    const next = await this.#options.open(address)
    // Requests may still be under way at the old address: it is closed at the end.
    this.#all.push(next)
    this.#note(address)
    this.#current = next
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof TransferError && (error.code === 'Denied' || error.code === 'Expired')
}
