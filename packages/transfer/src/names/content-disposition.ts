/**
 * The file names that a Content-Disposition header offers, best first: `filename*` (RFC 8187), then `filename`
 * (RFC 6266, 4.3). Outside names, not sanitised. Lenient in what real servers get wrong, never in what is a name:
 * a parameter counts only if its own name is `filename`, so `bar filename="x"` offers nothing.
 *
 * @example
 * ```ts
 * dispositionNames('attachment; filename="e.txt"; filename*=UTF-8\'\'%e2%82%ac.txt') // ['€.txt', 'e.txt']
 * ```
 */
export function dispositionNames(header: string): string[] {
  const parameters = parseParameters(header)
  const extended = decodeExtended(parameters.get('filename*'))
  const plain = repairUtf8(parameters.get('filename'))
  return [extended, plain].filter(name => name !== undefined && name !== '') as string[]
}

/** Parameters by lower-case name; the first of a name counts. A header without a disposition type is accepted. */
function parseParameters(header: string): Map<string, string> {
  const parameters = new Map<string, string>()
  for (const piece of splitOutsideQuotes(header)) {
    const equals = piece.indexOf('=')
    if (equals < 0) continue
    const name = piece.slice(0, equals).trim().toLowerCase()
    if (!parameters.has(name)) parameters.set(name, unquote(piece.slice(equals + 1).trim()))
  }
  return parameters
}

function splitOutsideQuotes(header: string): string[] {
  const pieces: string[] = []
  let start = 0
  let isQuoted = false
  for (let at = 0; at < header.length; at++) {
    const character = header[at]
    if (isQuoted && character === '\\') at++
    else if (character === '"') isQuoted = !isQuoted
    else if (character === ';' && !isQuoted) {
      pieces.push(header.slice(start, at))
      start = at + 1
    }
  }
  pieces.push(header.slice(start))
  return pieces
}

/** Only `\"` and `\\` are taken for quoted pairs: servers send bare Windows paths, whose backslashes must stay separators. */
function unquote(value: string): string {
  if (!value.startsWith('"')) return value
  const end = value.length > 1 && value.endsWith('"') ? -1 : undefined
  return value.slice(1, end).replace(/\\(["\\])/g, '$1')
}

/** RFC 8187, 3.2: charset'language'percent-encoded. Anything malformed is as if it were absent. */
function decodeExtended(value: string | undefined): string | undefined {
  const match = value === undefined ? null : /^(utf-8|iso-8859-1)'[^']*'(.*)$/is.exec(value)
  if (!match) return undefined
  const [, charset = '', encoded = ''] = match
  if (!/^(?:[^%\u0080-\uffff]|%[0-9a-f]{2})*$/i.test(encoded)) return undefined
  if (charset.toLowerCase() === 'utf-8') return percentDecode(encoded)
  return encoded.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

function percentDecode(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

/** HTTP libraries hand header bytes over as Latin-1, but servers put raw UTF-8 there; what is valid UTF-8 is taken as such. */
function repairUtf8(value: string | undefined): string | undefined {
  if (value === undefined || !/^[\u0000-\u00ff]*[\u0080-\u00ff]/.test(value) || /[^\u0000-\u00ff]/.test(value))
    return value
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(value, 'latin1'))
  } catch {
    return value
  }
}
