/** Terra's DRSHub: one question gives what is known of an object and a URL that opens it (gen3 6.4). */
import { TransferError } from '../errors.ts'
import { answerText } from './answer-text.ts'
import { type Api, jsonOf } from './api.ts'
import { type CommonsObject, headersOf, objectFromIndexd } from './object.ts'
import type { Access } from './objects.ts'
import type { CommonsOptions } from './options.ts'

export interface HubOptions {
  readonly api: Api
  /** Base URL, e.g. `https://drshub.dsde-prod.broadinstitute.org`. */
  readonly base: string
  /** A Google access token. */
  readonly token?: string | undefined
  readonly protocol?: CommonsOptions['protocol']
  readonly userProject?: string | undefined
}

export class DrsHub {
  readonly #o: HubOptions

  constructor(options: HubOptions) {
    this.#o = options
  }

  async object(uri: string, signal: AbortSignal): Promise<CommonsObject> {
    const answer = await this.#resolve(uri, ['fileName', 'size', 'hashes'], signal)
    const { fileName, size, hashes } = answer
    const object = objectFromIndexd({ did: uri, file_name: fileName, size, hashes, urls: [uri] })
    return { ...(object as CommonsObject), methods: [{ type: 'https', accessId: 'https', isAvailable: true }] }
  }

  async access(uri: string, signal: AbortSignal): Promise<Access> {
    const { accessUrl, gsUri } = await this.#resolve(uri, ['accessUrl', 'gsUri'], signal)
    const { url, headers } = (accessUrl ?? {}) as { url?: unknown; headers?: unknown }
    if (typeof url === 'string') return { url, headers: headersOf(headers) }
    if (typeof gsUri === 'string') return { url: gsUri }
    throw new TransferError('NotFound', `Cannot fetch ${uri}: the hub names no place for it`, { reason: 'no_location' })
  }

  async #resolve(uri: string, fields: readonly string[], signal: AbortSignal): Promise<Record<string, unknown>> {
    const { api, base, token, protocol, userProject } = this.#o
    const cloudPlatform = protocol && ['gs', 'azure', 's3'].includes(protocol) ? protocol : undefined
    const answer = await api.ask({
      url: `${base.replace(/\/$/, '')}/api/v4/drs/resolve`,
      headers: {
        'content-type': 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(userProject === undefined ? {} : { 'x-user-project': userProject }),
      },
      body: JSON.stringify({ url: uri, cloudPlatform, fields }),
      signal,
    })
    const { status } = answer
    if (status === 200) return jsonOf(answer, base) as Record<string, unknown>
    const said = answerText(answer)
    const code = status === 404 ? 'NotFound' : status === 401 || status === 403 ? 'Denied' : 'Protocol'
    const message = `Cannot fetch ${uri}: the hub answered ${status}${said && `: ${said}`}`
    throw new TransferError(code, message, { status, retriable: false })
  }
}
