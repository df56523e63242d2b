/** What a storage service tells of an object besides its length: not all call the same thing an entity tag. */

export interface ServiceHeaders {
  readonly etag: string
  /** With every answer. */
  readonly always: Readonly<Record<string, string>>
  /** Only with the whole object. */
  readonly whole: Readonly<Record<string, string>>
}

/** Of an object that was stored in one piece; `md5` in hex. */
export function serviceHeaders(scheme: string, md5: string): ServiceHeaders {
  const base64 = Buffer.from(md5, 'hex').toString('base64')
  if (scheme === 'gs') {
    const always = {
      'x-goog-hash': `md5=${base64}`,
      'x-goog-generation': '1767323045678901',
      'x-goog-stored-content-encoding': 'identity',
    }
    return { etag: `"${md5}"`, always, whole: {} }
  }
  if (scheme === 'az') {
    const always = { 'x-ms-blob-type': 'BlockBlob', 'x-ms-blob-content-md5': base64 }
    return { etag: `"0x8D${md5.slice(0, 12).toUpperCase()}"`, always, whole: { 'Content-MD5': base64 } }
  }
  return { etag: `"${md5}"`, always: scheme === 's3' ? { 'x-amz-request-id': 'TEST0000000000' } : {}, whole: {} }
}
