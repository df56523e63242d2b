/**
 * Characters that no name may carry: C0, DEL and C1 controls, line and paragraph separators, and the marks that turn the
 * reading direction (a name may then show as another one). U+FEFF is none of them, but is never printed as it is.
 */
const UNSAFE = '\\u0000-\\u001f\\u007f-\\u009f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069'

const first = new RegExp(`[${UNSAFE}]`)
const everyUnprintable = new RegExp(`[${UNSAFE}\\ufeff]|\\p{Surrogate}`, 'gu')

/** The first control or bidi character as `U+001B`; undefined where there is none. */
export function findUnsafeCharacter(text: string): string | undefined {
  const found = first.exec(text)
  return found ? `U+${found[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}` : undefined
}

/** The text as it can stand in a message: on one line, without characters that act on a terminal. */
export function printable(text: string): string {
  return text.replace(everyUnprintable, character => {
    const hex = character.charCodeAt(0).toString(16)
    return hex.length > 2 ? `\\u${hex.padStart(4, '0')}` : `\\x${hex.padStart(2, '0')}`
  })
}
