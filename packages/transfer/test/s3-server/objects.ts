import { createHash } from 'node:crypto'

/** One version of an object. */
export interface StoredObject {
  readonly bytes: Uint8Array
  readonly etag: string
  readonly version: string
  readonly lastModified: number
  readonly partSize: number | undefined
  readonly headers: Readonly<Record<string, string>>
  readonly storageClass: string | undefined
  /** Of a listing: what follows the storage class. */
  readonly restore: string | undefined
}

export interface PutOptions {
  /** Uploaded in parts of this size: the ETag is a composite. */
  readonly partSize?: number | undefined
  /** Sent with answers that carry the whole. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly storageClass?: string | undefined
  readonly restore?: string | undefined
}

let versions = 0

export function storedObject(bytes: Uint8Array, options: PutOptions = {}): StoredObject {
  const { partSize, headers = {}, storageClass, restore } = options
  return {
    bytes,
    etag: partSize === undefined ? md5(bytes).toString('hex') : compositeTag(bytes, partSize),
    version: `v${++versions}.${Math.random().toString(36).slice(2)}`,
    lastModified: Math.floor(Date.now() / 1000) * 1000,
    partSize,
    headers,
    storageClass,
    restore,
  }
}

function compositeTag(bytes: Uint8Array, partSize: number): string {
  const parts = Array.from({ length: Math.max(1, Math.ceil(bytes.length / partSize)) }, (_, index) =>
    md5(bytes.subarray(index * partSize, (index + 1) * partSize)),
  )
  return `${md5(Buffer.concat(parts)).toString('hex')}-${parts.length}`
}

function md5(bytes: Uint8Array): Buffer {
  return createHash('md5').update(bytes).digest()
}
