/**
 * The few things that the store asks of S3 (reliability 7.18): puts that never replace, with a SHA-256 that the server checks, and
 * readings held to one entity.
 */

import { Readable } from 'node:stream'
import { LibrarianError } from '@arriero/api'
import type { PathDigests } from '@arriero/transfer'
import { createPathHasher, loadPathFunctions } from '@arriero/transfer'
import type {
  CompletedPart,
  GetObjectCommandOutput,
  HeadObjectCommandOutput,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3'

export type S3Library = typeof import('@aws-sdk/client-s3')

export interface S3Place {
  readonly library: S3Library
  readonly client: S3Client
  readonly bucket: string
  /** The end of an upload in parts can be conditional; unless that is known, parts are not used. */
  hasConditionalParts?: boolean
}

export interface S3Object {
  readonly size: number
  readonly etag: string
  readonly modified: string
  /** As we put it, of the bytes that we sent; hex. */
  readonly sha256: string | undefined
}

/** What is put: read in pieces, again if need be. */
export interface S3Content {
  readonly size: number
  /** Hex. */
  readonly sha256: string
  read(start: number, end: number): AsyncIterable<Uint8Array>
}

/** Bytes of one request at most; a part has more where 10,000 of them would not do. */
const PART = 64 << 20
const MOST_PARTS = 10_000

/** What S3 takes in one request. */
const MOST_AT_ONCE = 5 * 2 ** 30

/** Our own digest, beside the object. */
const META = 'arriero-sha256'

/** Under a name that is taken. */
export class Taken extends Error {}

export function statusOf(error: unknown): number | undefined {
  return (error as S3ServiceException | undefined)?.$metadata?.httpStatusCode
}

export async function headObject({ library, client, bucket }: S3Place, key: string): Promise<S3Object | undefined> {
  try {
    const found = await client.send(new library.HeadObjectCommand({ Bucket: bucket, Key: key }))
    return objectOf(found)
  } catch (error) {
    if (statusOf(error) === 404) return undefined
    throw error
  }
}

function objectOf(found: HeadObjectCommandOutput | GetObjectCommandOutput): S3Object {
  const { ContentLength, ETag, LastModified, Metadata } = found
  return {
    size: ContentLength ?? 0,
    etag: ETag ?? '',
    modified: LastModified?.toISOString() ?? '',
    sha256: Metadata?.[META],
  }
}

/** Changes with the object. */
export function fingerprintOf({ size, etag, modified }: S3Object): string {
  return `${etag}:${size}:${modified}`
}

/** Bytes of exactly the entity that was looked at before. */
export async function* readObject(
  { library, client, bucket }: S3Place,
  key: string,
  { etag, start, end, signal }: { etag: string; start: number; end: number; signal?: AbortSignal | undefined },
): AsyncGenerator<Uint8Array> {
  if (start === end) return
  const Range = `bytes=${start}-${end - 1}`
  const request = new library.GetObjectCommand({ Bucket: bucket, Key: key, Range, IfMatch: etag })
  const { Body, ContentRange } = await client.send(request, signal ? { abortSignal: signal } : {})
  if (!ContentRange?.startsWith(`bytes ${start}-${end - 1}/`)) {
    throw new Error(`Cannot read ${key}: bytes ${start} to ${end} were asked for, the answer has ${ContentRange}`)
  }
  let met = 0
  for await (const bytes of Body as AsyncIterable<Uint8Array>) {
    met += bytes.length
    yield bytes
  }
  if (met !== end - start) throw new Error(`Cannot read ${key}: ${end - start} bytes were announced, ${met} came`)
}

/** Reads a whole object and digests it. */
export async function digestObject(
  place: S3Place,
  key: string,
  { size, etag }: S3Object,
  functions: Parameters<typeof loadPathFunctions>[0],
  { signal, alsoTake }: { signal?: AbortSignal | undefined; alsoTake?: (bytes: Uint8Array) => void } = {},
): Promise<PathDigests> {
  await loadPathFunctions(functions)
  const hasher = createPathHasher(functions)
  for await (const bytes of readObject(place, key, { etag, start: 0, end: size, signal })) {
    hasher.update(bytes)
    alsoTake?.(bytes)
  }
  return hasher.digests()
}

/**
 * Puts an object whole or not at all, and never over another.
 *
 * @param options.replaces the entity that is to be replaced; without it, none may be there
 * @throws Taken when there is one
 */
export async function putObject(
  place: S3Place,
  key: string,
  content: S3Content,
  options: { readonly replaces?: string } = {},
): Promise<void> {
  try {
    if (content.size <= PART) await putWhole(place, key, content, options.replaces)
    else if (place.hasConditionalParts) await putInParts(place, key, content, options.replaces)
    else await putStreaming(place, key, content, options.replaces)
  } catch (error) {
    if (statusOf(error) === 412) throw new Taken()
    throw error
  }
}

function conditionOf(replaces: string | undefined) {
  // Some gateways compare it without its quotes.
  return replaces === undefined ? { IfNoneMatch: '*' } : { IfMatch: replaces.replaceAll('"', '') }
}

async function putWhole(
  { library, client, bucket }: S3Place,
  key: string,
  { size, sha256, read }: S3Content,
  replaces: string | undefined,
): Promise<void> {
  const Body = Buffer.concat(await Array.fromAsync(read(0, size)))
  const ChecksumSHA256 = Buffer.from(sha256, 'hex').toString('base64')
  const request = {
    Bucket: bucket,
    Key: key,
    Body,
    ChecksumSHA256,
    Metadata: { [META]: sha256 },
    ...conditionOf(replaces),
  }
  await client.send(new library.PutObjectCommand(request))
}

/**
 * One request for any size, since some gateways let the end of an upload in parts replace what is there. The digest is part of
 * what is signed, so the server has to check it.
 */
async function putStreaming(
  { library, client, bucket }: S3Place,
  key: string,
  { size, sha256, read }: S3Content,
  replaces: string | undefined,
): Promise<void> {
  if (size > MOST_AT_ONCE) {
    const why = 'this server cannot end an upload in parts without replacing what is there, and takes no more at once'
    throw new LibrarianError(
      'TooLarge',
      `Cannot put ${key}: it must have at most ${MOST_AT_ONCE} bytes, it has ${size}; ${why}`,
    )
  }
  const Body = Readable.from(read(0, size), { objectMode: false, highWaterMark: 1 << 20 })
  const at = { Bucket: bucket, Key: key, Body, ContentLength: size }
  const request = new library.PutObjectCommand({ ...at, Metadata: { [META]: sha256 }, ...conditionOf(replaces) })
  request.middlewareStack.add(
    next => args => {
      const { headers } = args.request as { headers: Record<string, string> }
      headers['x-amz-content-sha256'] = sha256
      return next(args)
    },
    { step: 'build', name: 'signedDigest' },
  )
  await client.send(request)
}

/**
 * Whether an upload in parts can be ended on the condition that nothing is there.
 *
 * @param key of an object that is there already; it may be replaced
 */
export async function probeParts(place: S3Place, key: string): Promise<boolean> {
  const { library, client, bucket } = place
  const at = { Bucket: bucket, Key: key }
  const { UploadId } = await client.send(new library.CreateMultipartUploadCommand(at))
  try {
    const { ETag } = await client.send(
      new library.UploadPartCommand({ ...at, UploadId, PartNumber: 1, Body: Buffer.from('x') }),
    )
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] }
    await client.send(
      new library.CompleteMultipartUploadCommand({ ...at, UploadId, MultipartUpload, IfNoneMatch: '*' }),
    )
    return false
  } catch (error) {
    await client.send(new library.AbortMultipartUploadCommand({ ...at, UploadId })).catch(() => {})
    return statusOf(error) === 412
  }
}

async function putInParts(
  { library, client, bucket }: S3Place,
  key: string,
  { size, sha256, read }: S3Content,
  replaces: string | undefined,
): Promise<void> {
  const at = { Bucket: bucket, Key: key }
  const { UploadId } = await client.send(
    new library.CreateMultipartUploadCommand({ ...at, Metadata: { [META]: sha256 }, ChecksumAlgorithm: 'SHA256' }),
  )
  try {
    const part = Math.max(PART, Math.ceil(size / MOST_PARTS))
    const Parts: CompletedPart[] = []
    for (let start = 0; start < size; start += part) {
      const PartNumber = Parts.length + 1
      const Body = Buffer.concat(await Array.fromAsync(read(start, Math.min(size, start + part))))
      const ChecksumSHA256 = await sha256Of(Body)
      const { ETag } = await client.send(
        new library.UploadPartCommand({ ...at, UploadId, PartNumber, Body, ChecksumSHA256 }),
      )
      Parts.push({ PartNumber, ETag, ChecksumSHA256 })
    }
    const MultipartUpload = { Parts }
    await client.send(
      new library.CompleteMultipartUploadCommand({ ...at, UploadId, MultipartUpload, ...conditionOf(replaces) }),
    )
  } catch (error) {
    await client.send(new library.AbortMultipartUploadCommand({ ...at, UploadId })).catch(() => {})
    throw error
  }
}

async function sha256Of(bytes: Uint8Array): Promise<string> {
  return Buffer.from(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>)).toString('base64')
}

/** Parts that a killed process has left under a key: they cost room and are seen by nobody. */
export async function abortUploads({ library, client, bucket }: S3Place, key: string): Promise<void> {
  const { Uploads = [] } = await client.send(new library.ListMultipartUploadsCommand({ Bucket: bucket, Prefix: key }))
  for (const { Key, UploadId } of Uploads) {
    if (Key !== key) continue
    await client.send(new library.AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId }))
  }
}

export async function removeObject({ library, client, bucket }: S3Place, key: string): Promise<void> {
  await client.send(new library.DeleteObjectCommand({ Bucket: bucket, Key: key }))
}

/** What follows a prefix up to the next slash, and is a prefix itself. */
export async function* listFolders({ library, client, bucket }: S3Place, prefix: string): AsyncGenerator<string> {
  let ContinuationToken: string | undefined
  do {
    const request = {
      Bucket: bucket,
      Prefix: prefix,
      Delimiter: '/',
      ...(ContinuationToken ? { ContinuationToken } : {}),
    }
    const page = await client.send(new library.ListObjectsV2Command(request))
    for (const { Prefix } of page.CommonPrefixes ?? []) if (Prefix !== undefined) yield Prefix
    ContinuationToken = page.IsTruncated ? page.NextContinuationToken : undefined
  } while (ContinuationToken !== undefined)
}

/** Keys with this prefix, in order. */
export async function* listObjects(
  { library, client, bucket }: S3Place,
  prefix: string,
  { most = Number.POSITIVE_INFINITY }: { most?: number } = {},
): AsyncGenerator<{ readonly key: string; readonly size: number }> {
  let StartAfter: string | undefined
  let told = 0
  while (true) {
    const MaxKeys = Math.min(1000, most - told)
    const request = { Bucket: bucket, Prefix: prefix, MaxKeys, ...(StartAfter === undefined ? {} : { StartAfter }) }
    const { Contents = [], IsTruncated } = await client.send(new library.ListObjectsV2Command(request))
    for (const { Key, Size } of Contents) {
      // A page that repeats itself would never end.
      if (
        Key === undefined ||
        (StartAfter !== undefined && Buffer.compare(Buffer.from(Key), Buffer.from(StartAfter)) <= 0)
      ) {
        throw new Error(`Cannot list ${prefix}: keys must come in order, ${Key} came after ${StartAfter}`)
      }
      StartAfter = Key
      told++
      yield { key: Key, size: Size ?? 0 }
    }
    if (!IsTruncated || told >= most) return
  }
}
