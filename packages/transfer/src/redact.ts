/**
 * What is secret never reaches a log, an error, a journal or a screen (retrieval 8.3, reliability F1). Works on text, not
 * on `URL`: it must also do for what is no valid URL, because that is what errors speak of. Prefers hiding too much.
 */

export { printable } from './names/characters.ts'

const HIDDEN = '***'

/** Query parameters that are secret by their whole name, lower case. */
const secretNames = new Set(
  (
    'sig signature key token auth code policy jwt assertion session sessionid sid pass pwd pw credential credentials ' +
    'key-pair-id awsaccesskeyid googleaccessid x-amz-signature x-amz-credential x-amz-security-token ' +
    // Azure's shared access signatures: the fields that are signed say what the signature opens.
    'se sp sv sr st ss srt spr sip skoid sktid skt ske sks skv saoid suoid scid'
  ).split(' '),
)

/** Names that carry a secret wherever these words stand in them: `access_token`, `client-secret`, `X-Goog-Signature`. */
const secretWords = /passw|passphrase|secret|token|signature|credential|authoriz|api[-_]?key|access[-_]?key|^x-goog-/

/** Headers whose values are secret, as far as they are named in running text. */
const secretHeaders =
  '(?:proxy-)?authorization|(?:set-)?cookie|x-(?:[a-z0-9]{1,20}-){0,6}(?:token|key|secret|signature|password)|(?:api|access)[-_]key'

/** Whether a value under this name (of a query parameter, an option or a header) must not be shown. */
export function isSecretName(name: string): boolean {
  const lower = name.trim().toLowerCase()
  return secretNames.has(lower) || secretWords.test(lower) || secretHeader.test(lower)
}
const secretHeader = new RegExp(`^(?:${secretHeaders})$`)

/** Nowhere a secret could stand: most URLs of long lists are of this form. */
const PLAIN = /^[a-z][a-z0-9+.-]*:\/\/[a-z0-9.-]+(?::\d+)?(?:\/[^?#@\\]*)?$/i

/** Compact identifiers, whose colon is no password's: `drs://dg.4503:1234`. */
const OBJECT_NAME = /^(?:drs|dos|gdc):[^?#@\\]*$/i

/**
 * The URL as it may be shown: without user-info and fragment, with the values of signature-bearing query parameters
 * replaced by `***`, also in URLs that stand inside query values. Idempotent; never throws.
 *
 * @example
 * ```ts
 * redactUrl('https://me:pw@host/a?X-Amz-Signature=0f&part=1#x') // 'https://host/a?X-Amz-Signature=***&part=1'
 * ```
 */
export function redactUrl(url: string): string {
  if (PLAIN.test(url) || OBJECT_NAME.test(url)) return url
  const address = /^[^?#]*/.exec(url)![0]
  // A password with a bare `/`, `?`, `#` or `@` makes a URL that says something else: then nothing of it can be trusted.
  const shown = withoutUserInfo(address)
  if (isDoubtful(url, address) || isDoubtful(shown, shown)) {
    return `${address.slice(0, address.indexOf('://'))}://${HIDDEN}`
  }
  const query = /^[^#]*/.exec(url.slice(address.length))![0]
  return shown + redactQuery(query)
}

/** `user:pass…` where something behind the colon is no port, or a password with another `@` far behind it. */
function isDoubtful(url: string, address: string): boolean {
  const authority = /^[^/]*?:\/\/([^/\\]*)/.exec(address)?.[1] ?? ''
  if (!authority.includes('@')) return /^[^[\]:]*:(?!\d*$)/.test(authority)
  const behind = url.slice(url.indexOf(authority) + authority.length)
  return /:.*@/.test(authority) && behind.includes('@')
}

/** Up to the last `@` of the authority, as browsers read it. */
function withoutUserInfo(address: string): string {
  return address.replace(/^([^/\\]*:)?([/\\]{2})[^/\\]*@/, '$1$2')
}

function redactQuery(query: string): string {
  return query.replace(/([?&;])([^&;=]*)=([^&;]*)/g, (_, mark: string, name: string, value: string) => {
    return `${mark}${name}=${value !== '' && isSecretName(decode(name)) ? HIDDEN : redactNested(value)}`
  })
}

function redactNested(value: string): string {
  const decoded = decode(value)
  if (!decoded.includes('://')) return value
  const redacted = redactUrl(decoded)
  return redacted === decoded ? value : encodeURIComponent(redacted).replaceAll('%2A', '*')
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}

// Each run of characters is tried from its beginning only, so that a hostile text takes no more than linear time.
const urlInText = /(?<![a-z0-9+.-])[a-z0-9+.-]+:\/\/[^\s"'<>`]+/gi
const quotedHeaderInText = new RegExp(`\\b(${secretHeaders})(\\\\?["']\\s*[:=]\\s*\\\\?["'])[^"'\\r\\n]+`, 'gi')
/** `?X-Amz-Signature=***` is no header, and what follows it is the sentence that the address stands in. */
const hiddenParameter = '(?<=[?&][\\w.-]{0,60})[\\w-]{1,60}=\\*{3}'
/** To the end of the line: a value may have quotes and commas of its own (`Digest username="…", response="…"`). */
const headerInText = new RegExp(`\\b(?!${hiddenParameter})(${secretHeaders})(\\s*[:=]\\s*)[^\\r\\n]+`, 'gi')
/** Plain words may follow "basic": a credential has a capital, a digit or a sign in it. */
const schemeInText = /\b([Bb]earer|BEARER|[Bb]asic|BASIC|Negotiate)\s+(?=[a-z.-]*[A-Z0-9+/=_~])[A-Za-z0-9+/=._~-]{6,}/g
/** Also behind a blank that a URL should not have, and in URLs without their beginning. */
const queryInText = /[?&][^\s"'<>`?&]*/g
const assignmentInText =
  /((?:password|passwd|passphrase|secret|token|api[-_]?key|access[-_]?key)["']?\s*[:=]\s*["']?)(?!["'\s])[^\s"',;&}]+/gi
const jwtInText = /(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g
const awsKeyInText = /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g

/** What is hidden may bring to light what had looked like a part of it. Real messages settle in two rounds. */
const MOST_ROUNDS = 8

/**
 * A message as it may be shown: every URL in it through `redactUrl`; values of `Authorization`, cookies and the like,
 * `Bearer …`, passwords in assignments, JSON web tokens and AWS key ids replaced by `***`. Digests stay: they are what
 * messages are about. Idempotent: a text that does not settle is hidden whole.
 *
 * @example
 * ```ts
 * redactText('GET ftp://u:p@h/x failed; Authorization: Bearer abcdef') // 'GET ftp://h/x failed; Authorization: ***'
 * ```
 */
export function redactText(text: string): string {
  let shown = text
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const next = redactOnce(shown)
    if (next === shown) return shown
    shown = next
  }
  return HIDDEN
}

/** A mark behind an address is the sentence's: `http://host:8080: refused` has a port, and no password. */
function inSentence(redact: (address: string) => string): (found: string) => string {
  return found => {
    let end = found.length
    while (SENTENCE_MARKS.includes(found[end - 1]!)) end--
    return redact(found.slice(0, end)) + found.slice(end)
  }
}
const SENTENCE_MARKS = '.,:;!)'

function redactOnce(text: string): string {
  return text
    .replace(urlInText, inSentence(redactUrl))
    .replace(queryInText, inSentence(redactQuery))
    .replace(quotedHeaderInText, `$1$2${HIDDEN}`)
    .replace(headerInText, `$1$2${HIDDEN}`)
    .replace(schemeInText, `$1 ${HIDDEN}`)
    .replace(assignmentInText, `$1${HIDDEN}`)
    .replace(jwtInText, HIDDEN)
    .replace(awsKeyInText, HIDDEN)
}
