/**
 * AWS Signature Version 4 for requests without a body, in the headers (AWS, "Signature Calculations for the Authorization
 * Header"). Own code, because a part is one request and the SDK's signer takes ten times as long.
 *
 *     range, conditions and the agent's name are not signed: they may be set after the signature
 *     the payload is not signed: there is none
 */
import { createHmac, hash } from 'node:crypto'
import type { RequestHeaders } from '../../http/request-headers.ts'
import type { S3Credentials } from './options.ts'

export interface SignRequest {
  readonly method: string
  /** As in the Host header. */
  readonly host: string
  /** Path and query as in the request line, encoded strictly, the query in order. */
  readonly target: string
  /** Headers to sign besides the signature's own; lower-case names. */
  readonly headers: RequestHeaders
  /** Milliseconds since 1970, by the store's clock. */
  readonly now: number
}

/** One identity in one region: the key that a day's signatures share is derived once. */
export class SignerV4 {
  readonly credentials: S3Credentials
  readonly #scope: string
  readonly #keys: readonly [secret: string, region: string, service: string]
  #second = Number.NaN
  #stamp = ''
  #day = ''
  #mac: ((text: string) => string) | undefined
  #names: { readonly of: RequestHeaders; readonly sorted: readonly string[]; readonly joined: string } | undefined

  constructor(credentials: S3Credentials, region: string, service = 's3') {
    this.credentials = credentials
    this.#scope = `${region}/${service}/aws4_request`
    this.#keys = [credentials.secretAccessKey, region, service]
  }

  /** The headers that the request needs, those that were given included. */
  sign({ method, host, target, headers, now }: SignRequest): RequestHeaders {
    this.#tick(now)
    const { sessionToken, accessKeyId } = this.credentials
    const signed: Record<string, string> = { ...headers, 'x-amz-content-sha256': UNSIGNED, 'x-amz-date': this.#stamp }
    if (sessionToken !== undefined) signed['x-amz-security-token'] = sessionToken
    const { sorted, joined } = this.#namesOf(headers, signed)
    let lines = ''
    for (const name of sorted) lines += `${name}:${name === 'host' ? host : folded(signed[name] as string)}\n`
    const question = target.indexOf('?')
    const path = question < 0 ? target : target.slice(0, question)
    const query = question < 0 ? '' : target.slice(question + 1)
    const canonical = `${method}\n${path}\n${query}\n${lines}\n${joined}\n${UNSIGNED}`
    const scope = `${this.#day}/${this.#scope}`
    const text = `AWS4-HMAC-SHA256\n${this.#stamp}\n${scope}\n${hash('sha256', canonical, 'hex')}`
    const signature = (this.#mac as (text: string) => string)(text)
    signed.authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${joined}, Signature=${signature}`
    return signed
  }

  #tick(now: number): void {
    const second = Math.floor(now / 1000)
    if (second === this.#second) return
    this.#second = second
    this.#stamp = new Date(second * 1000).toISOString().replace(/[:-]|\.\d{3}/g, '')
    const day = this.#stamp.slice(0, 8)
    if (day === this.#day) return
    this.#day = day
    const [secret, region, service] = this.#keys
    const first = hmac(Buffer.from(`AWS4${secret}`, 'utf8'), day)
    this.#mac = keyedMac([region, service, 'aws4_request'].reduce(hmac, first))
  }

  #namesOf(headers: RequestHeaders, signed: RequestHeaders) {
    if (this.#names?.of !== headers) {
      const sorted = ['host', ...Object.keys(signed)].sort()
      this.#names = { of: headers, sorted, joined: sorted.join(';') }
    }
    return this.#names
  }
}

const UNSIGNED = 'UNSIGNED-PAYLOAD'

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text, 'utf8').digest()
}

/** A day's signatures share their key: two plain hashes each (RFC 2104) take a tenth of what `createHmac` does. */
function keyedMac(key: Buffer): (text: string) => string {
  const block = Buffer.alloc(64)
  key.copy(block)
  const inner = block.map(byte => byte ^ 0x36)
  const outer = Buffer.concat([block.map(byte => byte ^ 0x5c), Buffer.alloc(32)])
  return text => {
    const digest = hash('sha256', Buffer.concat([inner, Buffer.from(text, 'utf8')]), 'buffer')
    digest.copy(outer, 64)
    return hash('sha256', outer, 'hex')
  }
}

/** Blanks in a row count as one. */
function folded(value: string): string {
  return value.trim().replace(/ {2,}/g, ' ')
}
