/**
 * Reads objects of Google Cloud Storage by the lanes of the HTTP source (retrieval 13.2).
 *
 *     first contact   the object as it is now; the answer names its generation
 *     afterwards      `generation=` in every request: the old bytes or ResourceChanged, never a mix
 *     coded objects   asked for in the coding they are stored in, so that the store does not decode them itself: the
 *                     stored bytes are held to its checksums while they are decoded here, or kept as they are
 */
import { abortable } from '../abortable.ts'
import { isCodedName } from '../coded-name.ts'
import { TransferError } from '../errors.ts'
import { type ApiOptions, apiJson } from '../http/api-request.ts'
import type { HttpCredentials } from '../http/credentials.ts'
import type { Origins } from '../http/origins.ts'
import { printable, redactUrl } from '../redact.ts'
import type { Resource } from '../resource.ts'
import type { FetchRequest, Listed, ListRequest, Source } from '../source.ts'
import { type BearerTokens, tokensOf } from './gs/bearer-tokens.ts'
import { EitherCredentials } from './gs/either-credentials.ts'
import { explained, notFound, replaced } from './gs/failures.ts'
import { listObjects } from './gs/list-objects.ts'
import { type GsName, parseGsUri } from './gs/name.ts'
import { type GsSettings, gsSettings } from './gs/options.ts'
import { objectsUrl, objectUrl } from './gs/urls.ts'
import { createHttpSource } from './http.ts'
import { checkRange } from './local-answer.ts'
import type { SourceContext } from './registry.ts'

/** @throws TransferError Usage */
export async function createGsSource(uri: string, context: SourceContext): Promise<Source> {
  const { options } = context
  const name = parseGsUri(uri)
  const settings = gsSettings(options.gs)
  const tokens = hasAuthorization(options) ? undefined : tokensOf(settings.identity, context)
  const given = options.credentials
  const credentials =
    given && tokens ? context.shared('gs either', () => new EitherCredentials()).of(given, tokens) : (given ?? tokens)
  return new GsSource(uri, name, { settings, origins: await context.origins(), tokens, credentials, options })
}

/** Who brings an authorization brings the one that counts. */
function hasAuthorization({ headers = {} }: SourceContext['options']): boolean {
  return Object.keys(headers).some(name => name.toLowerCase() === 'authorization')
}

interface GsParts {
  readonly settings: GsSettings
  readonly origins: Origins
  readonly tokens: BearerTokens | undefined
  readonly credentials: HttpCredentials | undefined
  readonly options: SourceContext['options']
}

class GsSource implements Source {
  readonly uri: string
  readonly origin: string
  readonly capabilities = { parallel: true, list: true } as const
  readonly #name: GsName
  readonly #parts: GsParts
  readonly #endpoint: URL
  /** By generation: one, or two when an earlier run's was replaced. */
  readonly #byGeneration = new Map<string | undefined, Source>()

  constructor(uri: string, name: GsName, parts: GsParts) {
    this.uri = printable(redactUrl(uri))
    this.#name = name
    this.#parts = parts
    this.#endpoint = new URL(parts.settings.endpoint)
    this.origin = this.#at(name.generation).origin
  }

  async probe({ signal }: { signal: AbortSignal }): Promise<Resource> {
    const { generation } = this.#name
    return this.#asked(generation, signal, source => source.probe({ signal }))
  }

  async fetch(request: FetchRequest): Promise<void> {
    request.signal.throwIfAborted()
    checkRange(request.range, this.uri)
    const { expected, signal } = request
    const generation = this.#name.generation ?? generationOf(expected)
    await this.#asked(generation, signal, source => source.fetch(request))
  }

  async *list(request: ListRequest): AsyncGenerator<readonly Listed[], void, undefined> {
    const { settings, options } = this.#parts
    const { bucket, object } = this.#name
    if (object !== '' && !object.endsWith('/')) {
      throw new TransferError('Usage', `Cannot list ${this.uri}: it must end with a slash`, { url: this.uri })
    }
    request.signal.throwIfAborted()
    const keepsCoding = (name: string) => options.keepEncoding || isStoredAs(name)
    const place = { bucket, directory: object, uri: this.uri, keepsCoding }
    const ask = (query: Readonly<Record<string, string | undefined>>) =>
      this.#api(objectsUrl(settings, bucket, query), { purpose: `list ${this.uri}`, signal: request.signal })
    try {
      yield* listObjects(ask, place, request)
    } catch (error) {
      throw explained(error, this.#failureContext)
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#byGeneration.values()].map(source => source.close()))
  }

  // ---- one object

  async #asked<T>(
    generation: string | undefined,
    signal: AbortSignal,
    ask: (source: Source) => Promise<T>,
  ): Promise<T> {
    if (this.#name.object === '') {
      throw new TransferError('Usage', `Cannot fetch ${this.uri}: it names a bucket, no object`, { url: this.uri })
    }
    try {
      await this.#whenAuthorized(this.#endpoint, signal)
      return await ask(this.#at(generation))
    } catch (error) {
      if (signal.aborted) throw error
      if (!(error instanceof TransferError) || error.code !== 'NotFound') throw explained(error, this.#failureContext)
      // A generation that somebody asked for by its number is there or not; one that was seen has been replaced.
      if (generation !== undefined && generation !== this.#name.generation) throw replaced(this.uri, generation)
      throw (await this.#whyNotFound(signal)) ?? error
    }
  }

  #at(generation: string | undefined): Source {
    let source = this.#byGeneration.get(generation)
    if (!source) {
      const { settings, origins, credentials, options } = this.#parts
      const url = objectUrl(settings, this.#name, { alt: 'media', generation })
      source = createHttpSource(url.href, {
        ...options,
        origins,
        credentials,
        acceptCoding: 'gzip',
        keepEncoding: options.keepEncoding || isStoredAs(this.#name.object),
        label: this.uri,
      })
      this.#byGeneration.set(generation, source)
    }
    return source
  }

  /** Bytes are refused by a bare status; the metadata of the same object are refused with a reason. */
  async #whyNotFound(signal: AbortSignal): Promise<TransferError | undefined> {
    const { generation } = this.#name
    const url = objectUrl(this.#parts.settings, this.#name, { fields: 'generation', generation })
    try {
      await this.#api(url, { purpose: `look at ${this.uri}`, signal, retries: 0 })
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof TransferError && error.code === 'NotFound') return notFound(this.uri, error.message)
    }
    return undefined
  }

  // ---- shared

  async #api(url: URL, options: Pick<ApiOptions, 'purpose' | 'signal' | 'retries'>): Promise<unknown> {
    const { origins, credentials, options: given } = this.#parts
    const { headers, allowDowngrade } = given
    await this.#whenAuthorized(url, options.signal)
    return apiJson({ method: 'GET', url, headers }, { ...options, origins, credentials, uri: this.uri, allowDowngrade })
  }

  /** A token may take seconds, which nobody has to wait for; afterwards it is at hand. */
  async #whenAuthorized(url: URL, signal: AbortSignal): Promise<void> {
    const headers = this.#parts.credentials?.headers({ method: 'GET', url, target: url.pathname + url.search })
    if (headers instanceof Promise) await abortable(headers, signal)
  }

  get #failureContext() {
    const { settings, tokens, options } = this.#parts
    const isAnonymous = !options.credentials && !hasAuthorization(options) && (tokens?.isAnonymous ?? true)
    return { isAnonymous, userProject: settings.userProject }
  }
}

/** A name that says how the object is stored says what is wanted; the store's checksums are those of these bytes (8.4). */
function isStoredAs(object: string): boolean {
  return isCodedName(object, 'gzip')
}

/** Of an earlier answer; those of mirrors in other stores have other forms. */
function generationOf(expected: Resource | undefined): string | undefined {
  return expected?.version !== undefined && /^\d+$/.test(expected.version) ? expected.version : undefined
}
