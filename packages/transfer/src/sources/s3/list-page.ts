import { TransferError } from '../../errors.ts'
import { type XmlHandler, XmlProblem, XmlReader } from '../../manifest/xml.ts'

/** One object of a listing, as the store says it. */
export interface ListedObject {
  readonly key: string
  readonly size: number | undefined
  readonly etag: string | undefined
  /** Milliseconds since 1970. */
  readonly lastModified: number | undefined
  readonly storageClass: string | undefined
  /** Archived, but a copy can be read at present. */
  readonly isRestored: boolean
}

/** One answer of a listing. */
export interface ListPage {
  readonly objects: readonly ListedObject[]
  /** What lies below them was not named. */
  readonly prefixes: readonly string[]
  readonly isTruncated: boolean
  /** How to go on, by the second version of the operation. */
  readonly token: string | undefined
  /** How to go on, by the first one. */
  readonly marker: string | undefined
}

/**
 * Reads the body of a successful listing. An error that came with status 200 is told apart by `isErrorBody`.
 *
 * @throws TransferError Protocol, retriable, for whatever is not a whole, well-formed page
 */
export function parseListPage(body: Uint8Array, uri: string): ListPage {
  const handler = new PageHandler()
  try {
    const reader = new XmlReader(handler)
    reader.push(body)
    reader.end()
    return handler.page()
  } catch (cause) {
    if (!(cause instanceof XmlProblem) && !(cause instanceof BadPage)) throw cause
    const what = `Cannot list ${uri}: the server's page is not valid: ${cause.message}`
    throw new TransferError('Protocol', what, { url: uri, cause })
  }
}

/** Whether the body is an error, whatever the status said (retrieval 13.1). */
export function isErrorBody(body: string): boolean {
  return /^\s*(<\?xml[^>]*\?>\s*)?<Error[\s>]/.test(body)
}

class BadPage extends Error {}

type Fields = Record<string, string>

class PageHandler implements XmlHandler {
  readonly #path: string[] = []
  readonly #root: Fields = {}
  readonly #objects: Fields[] = []
  readonly #prefixes: string[] = []
  #item: Fields = {}
  #text = ''

  open(name: string): void {
    const local = name.slice(name.indexOf(':') + 1)
    if (this.#path.length === 0 && !/^ListBucket(V2)?Result$/.test(local)) {
      throw new BadPage(`it begins with ${local.slice(0, 40)}`)
    }
    this.#path.push(local)
    this.#text = ''
    if (this.#path.length === 2) this.#item = {}
  }

  text(text: string): void {
    this.#text += text
  }

  close(): void {
    const [, second = '', ...inner] = this.#path
    if (inner.length > 0) this.#item[inner.join('.')] = this.#text
    else if (second === 'Contents') this.#objects.push(this.#item)
    else if (second === 'CommonPrefixes') this.#prefixes.push(this.#item.Prefix ?? '')
    else if (second !== '') this.#root[second] = this.#text
    this.#path.pop()
    this.#text = ''
  }

  page(): ListPage {
    const { EncodingType, IsTruncated, NextContinuationToken, NextMarker } = this.#root
    const decode = EncodingType === 'url' ? decodeName : (text: string) => text
    if (IsTruncated !== 'true' && IsTruncated !== 'false') throw new BadPage('it does not say whether more follows')
    return {
      objects: this.#objects.map(fields => objectOf(fields, decode)),
      prefixes: this.#prefixes.filter(prefix => prefix !== '').map(decode),
      isTruncated: IsTruncated === 'true',
      token: NextContinuationToken || undefined,
      marker: NextMarker ? decode(NextMarker) : undefined,
    }
  }
}

function objectOf(fields: Fields, decode: (text: string) => string): ListedObject {
  const { Key, Size, ETag, LastModified, StorageClass } = fields
  if (Key === undefined || Key === '') throw new BadPage('an object has no key')
  if (Size !== undefined && !/^\d{1,15}$/.test(Size)) throw new BadPage('a size is no number')
  const time = Date.parse(LastModified ?? '')
  return {
    key: decode(Key),
    size: Size === undefined ? undefined : Number(Size),
    etag: ETag?.replace(/^"|"$/g, '') || undefined,
    lastModified: Number.isNaN(time) ? undefined : time,
    storageClass: StorageClass || undefined,
    isRestored:
      fields['RestoreStatus.IsRestoreInProgress'] === 'false' &&
      fields['RestoreStatus.RestoreExpiryDate'] !== undefined,
  }
}

/** As forms are encoded: stores write a blank as `+`, and a plus as `%2B`. */
function decodeName(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    throw new BadPage('a name is not encoded as UTF-8')
  }
}
