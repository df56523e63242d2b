/**
 * What an `s3:` URI says, and how a key stands in a request. Keys are taken as they are: nothing of `s3://bucket/a b%41` is
 * percent-decoded, and it is encoded once, in the one way that signatures know.
 */
import { TransferError } from '../../errors.ts'

/** Where objects are: a bucket, or an access point, which stands for one. */
export interface Container {
  /** As the URI names it, up to the slash before the key. */
  readonly name: string
  readonly accessPoint?: { readonly name: string; readonly account: string; readonly region: string } | undefined
}

export interface S3Address {
  readonly container: Container
  /** Empty for the bucket itself. */
  readonly key: string
  readonly versionId: string | undefined
}

/** A key cannot end like this and be told from another key's version. */
const VERSION = /\?versionId=([\w.~-]{1,1024})$/
const BUCKET = /^[A-Za-z0-9][\w.:-]{1,254}$/
const ARN = /^arn:[a-z-]+:([a-z0-9-]+):([a-z0-9-]*):(\d*):accesspoint[/:]([A-Za-z0-9-]+)(?:\/|$)/

/** @throws TransferError Usage for what names no bucket, Unsupported for kinds of buckets that are not spoken */
export function parseS3Uri(uri: string): S3Address {
  const rest = uri.replace(/^s3:\/\//i, '')
  if (rest === uri) throw new TransferError('Usage', 'Cannot take this for an object of S3: it must be s3://bucket/key')
  if (rest.startsWith('arn:')) return accessPointAddress(rest)
  const slash = rest.indexOf('/')
  const name = slash < 0 ? rest : rest.slice(0, slash)
  if (!BUCKET.test(name)) {
    // It is not shown: a password may stand where the bucket should be.
    throw new TransferError(
      'Usage',
      'Cannot take this for an object of S3: s3:// must be followed by the name of a bucket',
    )
  }
  if (name.endsWith('--x-s3')) {
    throw new TransferError('Unsupported', `Cannot read ${name}: directory buckets (S3 Express) are not supported`)
  }
  return { container: { name }, ...keyAndVersion(slash < 0 ? '' : rest.slice(slash + 1)) }
}

function accessPointAddress(rest: string): S3Address {
  const arn = ARN.exec(rest)
  const [head = '', service, region = '', account = '', name = ''] = arn ?? []
  if (!arn || service !== 's3' || region === '' || account === '') {
    throw new TransferError('Unsupported', 'Cannot read this ARN: only access points of one region are supported')
  }
  const container = { name: head.replace(/\/$/, ''), accessPoint: { name, account, region } }
  return { container, ...keyAndVersion(rest.slice(head.length)) }
}

function keyAndVersion(text: string): Pick<S3Address, 'key' | 'versionId'> {
  const version = VERSION.exec(text)
  const key = version ? text.slice(0, version.index) : text
  if (!key.isWellFormed()) throw new TransferError('Usage', 'Cannot ask for a key that is no well-formed text')
  return { key, versionId: version?.[1] }
}

/** Whether a key, in a URI, would be taken for another key and its version. */
export function looksVersioned(key: string): boolean {
  return VERSION.test(key)
}

/** `s3://bucket/key`, for people and for opening it again. */
export function uriOf({ name }: Container, key: string): string {
  return `s3://${name}/${key}`
}

/** Percent-encodes everything but unreserved characters (RFC 3986, 2.3), as signatures want it. */
export function encodeStrictly(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, sign => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
}

/** A key as a path: slashes stay, also several in a row. */
export function encodeKey(key: string): string {
  return /^[\w.~/-]*$/.test(key) ? key : encodeStrictly(key).replaceAll('%2F', '/')
}

/** `?a=1&b=` in the order that signatures want; empty when nothing is given. */
export function queryOf(parameters: Readonly<Record<string, string | undefined>>): string {
  const pairs = Object.entries(parameters)
    .filter((pair): pair is [string, string] => pair[1] !== undefined)
    .map(([name, value]) => `${encodeStrictly(name)}=${encodeStrictly(value)}`)
    .sort()
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`
}
