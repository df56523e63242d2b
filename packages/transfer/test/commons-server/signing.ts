/** Presigned URLs of the common kinds, signed and checked for real (gen3 7.2). */
import { createHash, createHmac } from 'node:crypto'
import { type Answer, xml } from './answers.ts'

/** `s3v2`, `gcsv2` and `cloudfront` carry `Expires`, in seconds since 1970. */
export type UrlShape = 's3v4' | 's3v2' | 'cloudfront' | 'gcsv4' | 'gcsv2' | 'azure'

export interface SignOptions {
  readonly secret: string
  readonly nowMs: number
  readonly lifetimeS: number
  /** Further signed parameters. */
  readonly extra?: Readonly<Record<string, string>> | undefined
  /** When the credentials that sign end, seconds since 1970; the URL may say longer. */
  readonly credentialsEndS?: number | undefined
}

export interface SignedRequest {
  readonly method: string
  readonly host: string
  readonly path: string
  readonly query: string
}

export function signUrl(url: string, shape: UrlShape, options: SignOptions): string {
  const signed = new URL(url)
  const expiresS = Math.floor(options.nowMs / 1000) + options.lifetimeS
  const parameters = { ...options.extra, ...KINDS[shape].parameters(options, expiresS) }
  const query = Object.entries(parameters).map(([name, value]) => `${encode(name)}=${encode(value)}`)
  const request = { method: 'GET', host: signed.host, path: signed.pathname, query: query.join('&') }
  const signature = signatureOf(request, shape, options.secret)
  return `${signed.origin}${signed.pathname}?${request.query}&${KINDS[shape].signature}=${encode(signature)}`
}

/** Why the URL of a request is not good, as its storage service words it; undefined when it is. */
export function refuseUrl(
  request: SignedRequest,
  { secret, nowMs }: { secret: string; nowMs: number },
): Answer | undefined {
  const query = new URLSearchParams(request.query)
  const shape = shapeOf(query)
  if (!shape) return xml(403, 'AccessDenied', 'Access Denied')
  const kind = KINDS[shape]
  const expiresMs = kind.expiresMs(query)
  if (Number.isNaN(expiresMs)) return xml(400, 'AuthorizationQueryParametersError', 'Query parameters are malformed')
  if (query.get(kind.signature) !== signatureOf(request, shape, secret)) return kind.mismatch
  if (nowMs >= expiresMs) return kind.expired(expiresMs, nowMs)
  const credentialsEndS = Number(query.get('X-Amz-Security-Token')?.split('.')[1] ?? Infinity)
  if (nowMs >= credentialsEndS * 1000) return expiredToken()
  return undefined
}

/** The signing credentials ended before the URL's own time. */
export function expiredToken(): Answer {
  return xml(400, 'ExpiredToken', 'The provided token has expired.')
}

interface Kind {
  /** Name of the parameter that carries the signature. */
  readonly signature: string
  readonly isBoundToMethod: boolean
  readonly mismatch: Answer
  parameters(options: SignOptions, expiresS: number): Record<string, string>
  expiresMs(query: URLSearchParams): number
  expired(expiresMs: number, nowMs: number): Answer
}

const MISMATCH = xml(
  403,
  'SignatureDoesNotMatch',
  'The request signature we calculated does not match the signature you provided.',
)
const AZURE_DENIED = xml(
  403,
  'AuthenticationFailed',
  'Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly.',
)

const KINDS: Readonly<Record<UrlShape, Kind>> = {
  s3v4: dated('X-Amz', 'AWS4-HMAC-SHA256', 's3/aws4_request'),
  gcsv4: { ...dated('X-Goog', 'GOOG4-RSA-SHA256', 'storage/goog4_request'), expired: expiredToken },
  s3v2: epochal('Signature', { AWSAccessKeyId: 'AKIATESTCOMMONS' }, true, s3Expired),
  gcsv2: epochal('Signature', { GoogleAccessId: 'test@commons.example' }, true, expiredToken),
  cloudfront: epochal('Signature', { 'Key-Pair-Id': 'KTESTCOMMONS' }, false, () =>
    xml(403, 'AccessDenied', 'Access denied'),
  ),
  azure: {
    signature: 'sig',
    isBoundToMethod: false,
    mismatch: AZURE_DENIED,
    parameters: (_, expiresS) => ({ sv: '2021-08-06', sr: 'b', sp: 'r', se: isoSeconds(expiresS * 1000) }),
    expiresMs: query => Date.parse(query.get('se') ?? ''),
    expired: () => AZURE_DENIED,
  },
}

/** A date of signing and a lifetime, as version 4 of both S3 and GCS has them. */
function dated(prefix: 'X-Amz' | 'X-Goog', algorithm: string, service: string): Kind {
  return {
    signature: `${prefix}-Signature`,
    isBoundToMethod: true,
    mismatch: MISMATCH,
    parameters({ nowMs, lifetimeS, credentialsEndS }) {
      const date = isoSeconds(nowMs).replaceAll(/[-:]/g, '')
      const account = prefix === 'X-Amz' ? 'AKIATESTCOMMONS' : 'test@commons.example'
      return {
        [`${prefix}-Algorithm`]: algorithm,
        [`${prefix}-Credential`]: `${account}/${date.slice(0, 8)}/us-east-1/${service}`,
        [`${prefix}-Date`]: date,
        [`${prefix}-Expires`]: String(lifetimeS),
        [`${prefix}-SignedHeaders`]: 'host',
        ...(credentialsEndS === undefined
          ? {}
          : { [`${prefix}-Security-Token`]: `session.${credentialsEndS}.token/+=` }),
      }
    },
    expiresMs(query) {
      const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(query.get(`${prefix}-Date`) ?? '')
      const [year, month, day, hour, minute, second] = (parts ?? []).slice(1).map(Number)
      if (!parts || !/^\d+$/.test(query.get(`${prefix}-Expires`) ?? '')) return Number.NaN
      return Date.UTC(year!, month! - 1, day, hour, minute, second) + Number(query.get(`${prefix}-Expires`)) * 1000
    },
    expired: s3Expired,
  }
}

/** `Expires` in seconds since 1970. */
function epochal(
  signature: string,
  fixed: Record<string, string>,
  isBoundToMethod: boolean,
  expired: Kind['expired'],
): Kind {
  return {
    signature,
    isBoundToMethod,
    mismatch: MISMATCH,
    parameters: (_, expiresS) => ({ ...fixed, Expires: String(expiresS) }),
    expiresMs: query => (/^\d+$/.test(query.get('Expires') ?? '') ? Number(query.get('Expires')) * 1000 : Number.NaN),
    expired,
  }
}

function s3Expired(expiresMs: number, nowMs: number): Answer {
  return xml(403, 'AccessDenied', 'Request has expired', {
    Expires: isoSeconds(expiresMs),
    ServerTime: isoSeconds(nowMs),
  })
}

function shapeOf(query: URLSearchParams): UrlShape | undefined {
  if (query.has('X-Amz-Signature')) return 's3v4'
  if (query.has('X-Goog-Signature')) return 'gcsv4'
  if (query.has('sig')) return 'azure'
  if (!query.has('Signature')) return undefined
  if (query.has('Key-Pair-Id')) return 'cloudfront'
  return query.has('GoogleAccessId') ? 'gcsv2' : 's3v2'
}

/** Over everything but itself. Order and spelling of the parameters do not matter, as with the real ones. */
function signatureOf(request: SignedRequest, shape: UrlShape, secret: string): string {
  const { signature, isBoundToMethod } = KINDS[shape]
  const parameters = [...new URLSearchParams(request.query.replaceAll('+', '%2B'))]
    .filter(([name]) => name !== signature)
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
  const lines = [isBoundToMethod ? request.method : 'GET', request.path, parameters.join('&'), `host:${request.host}`]
  const digest = createHash('sha256').update(lines.join('\n')).digest('hex')
  return createHmac('sha256', secret)
    .update(`${shape}\n${digest}`)
    .digest(shape === 's3v4' || shape === 'gcsv4' ? 'hex' : 'base64')
}

function isoSeconds(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}

function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    character => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}
