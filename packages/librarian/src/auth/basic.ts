/** HTTP Basic, read as librarian 5.1 says. */

export interface Credentials {
  readonly username: string
  readonly password: string
}

/** Of the decoded text; longer ones would only buy work from us. */
const maxBytes = 1024

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Undefined: not a header that could belong to anybody. */
export function parseBasic(header: string | undefined): Credentials | undefined {
  const encoded = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(header?.trim() ?? '')?.[1]
  if (encoded === undefined || encoded.replace(/=+$/, '').length % 4 === 1) return undefined
  const bytes = Buffer.from(encoded, 'base64')
  if (bytes.length > maxBytes) return undefined
  const text = decode(bytes)
  const colon = text.indexOf(':')
  return colon === -1 ? undefined : { username: text.slice(0, colon), password: text.slice(colon + 1) }
}

/** Python's most used HTTP library writes Latin-1, everybody else UTF-8. */
function decode(bytes: Buffer): string {
  try {
    return utf8.decode(bytes)
  } catch {
    return bytes.toString('latin1')
  }
}
