/**
 * Characters that no outside name may carry: C0, DEL and C1 controls, line and paragraph separators, and the marks that
 * turn the reading direction (a name may then show as another one: `exe.txt` for `txt.exe`).
 */
const UNSAFE = '\\u0000-\\u001f\\u007f-\\u009f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069'

const first = new RegExp(`[${UNSAFE}]`)
const every = new RegExp(`[${UNSAFE}]`, 'g')
const everyUnprintable = new RegExp(`[${UNSAFE}\\ufeff]|\\p{Surrogate}`, 'gu')

/** The first control or bidi character as `U+001B`, or undefined. */
export function findUnsafeCharacter(text: string): string | undefined {
  const found = first.exec(text)
  return found ? codePointName(found[0]) : undefined
}

/** The text without its control and bidi characters. */
export function withoutUnsafeCharacters(text: string): string {
  return text.replace(every, '')
}

/** The text with `replacement` for each of its control and bidi characters. */
export function replaceUnsafeCharacters(text: string, replacement: string): string {
  return text.replace(every, replacement)
}

/**
 * The text as it can be shown on a terminal or put on one line of a log: control characters (so also every ANSI escape
 * and line end), bidi marks and lone surrogates become visible escapes. Idempotent.
 *
 * @example
 * ```ts
 * printable('a\u001b[2Jb\n') // 'a\\x1b[2Jb\\n'
 * ```
 */
export function printable(text: string): string {
  return text.replace(everyUnprintable, character => {
    if (character === '\n') return '\\n'
    if (character === '\r') return '\\r'
    if (character === '\t') return '\\t'
    const hex = character.charCodeAt(0).toString(16)
    return hex.length > 2 ? `\\u${hex.padStart(4, '0')}` : `\\x${hex.padStart(2, '0')}`
  })
}

function codePointName(character: string): string {
  return `U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`
}
