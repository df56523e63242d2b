/** Text from outside, made fit for a terminal. The engine has the same rules; here they work without loading it. */

/** C0 and C1 controls, DEL, line separators, the marks that turn the reading direction, and lone surrogates. */
const unsafe = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|\p{Surrogate}/gu

const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** The same text with everything escaped that could move the cursor, change colours or turn its order round. */
export function printable(text: string): string {
  return text.replace(unsafe, char => short[char] ?? escapeUnit(char))
}

function escapeUnit(char: string): string {
  const code = char.charCodeAt(0)
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`
}

/** One line of JSON that is as safe to show as `printable` text: JSON itself leaves C1 controls as they are. */
export function jsonLine(value: unknown): string {
  const text = JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? Number(inner) : inner)) ?? 'null'
  return text.replace(unsafe, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** An argument as it may be repeated in a message: no user, no query, no fragment (they may hold secrets). */
export function withoutSecrets(argument: string): string {
  return argument.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, '$1***@').replace(/(?<=[^?#])[?#].+$/s, '?***')
}

/** The same text with less of each signed address: what is left of its query tells people nothing. */
export function withoutSignatures(text: string): string {
  return text.replace(/:\/\/[^\s"']+/g, address => {
    const query = address.indexOf('?')
    if (query === -1 || !address.includes('=***', query)) return address
    return `${address.slice(0, query)}?***${/[:;,.)]{0,3}$/.exec(address)![0]}`
  })
}

/** Cut in the middle; more is kept of the end, where numbers and dates tell the files of a series apart. */
export function shorten(text: string, width: number): string {
  if (displayWidth(text) <= width) return text
  if (width <= 1) return '…'.slice(0, width)
  const chars = [...text]
  const tail = takeWidth(chars.toReversed(), Math.floor(((width - 1) * 2) / 3)).reverse()
  const head = takeWidth(chars, width - 1 - tail.reduce((sum, char) => sum + charWidth(char), 0))
  return `${head.join('')}…${tail.join('')}`
}

/** Filled with spaces up to the width that a terminal would show. */
export function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)))
}

/** Columns that a terminal needs, for text without control characters. */
export function displayWidth(text: string): number {
  let width = 0
  for (const char of text) width += charWidth(char)
  return width
}

function takeWidth(chars: readonly string[], width: number): string[] {
  const taken: string[] = []
  let left = width
  for (const char of chars) {
    left -= charWidth(char)
    if (left < 0) break
    taken.push(char)
  }
  return taken
}

/** Good enough for names: wide East Asian and emoji count two, combining marks none. */
function charWidth(char: string): number {
  const code = char.codePointAt(0)!
  if (code < 0x300) return 1
  if (/\p{Mark}/u.test(char)) return 0
  const isWide =
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0xffe0 && code <= 0xffe6) ||
    (code >= 0x1f300 && code <= 0x1faff) ||
    (code >= 0x20000 && code <= 0x3fffd)
  return isWide ? 2 : 1
}

/** `1 file`, `12,345 files`. */
export function count(n: number, noun: string): string {
  return `${n.toLocaleString('en-US')} ${noun}${n === 1 ? '' : 's'}`
}
