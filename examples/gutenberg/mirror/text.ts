/** A book as bytes, and what must be left of it: known from its parts, not by looking for markers. */
import type { Encoding } from '../clean.ts'

/** How the book is marked. `mixed`: as `this`, with an end that only the wide markers know. `open`: without an end. */
export type Marking = 'this' | 'the' | 'mixed' | 'open' | 'none'

export interface TextParts {
  readonly title: string
  readonly author: string
  readonly marking: Marking
  readonly encoding: Encoding
  readonly lineEnd: '\n' | '\r\n' | '\r'
  readonly body: readonly string[]
  /** Its head speaks of the end marker, which counts only behind the start. */
  readonly quotesEnd: boolean
}

export interface BookText {
  readonly bytes: Buffer
  /** What is left; undefined where no start is found, so that nothing is. */
  left(how: Reading): Buffer | undefined
}

/** The options of cleaning, all of them said. */
export interface Reading {
  readonly markers: 'narrow' | 'wide'
  readonly lineEndings: 'once' | 'exact'
  readonly encoding: Encoding
}

export function makeText(parts: TextParts): BookText {
  const { marking, encoding, lineEnd } = parts
  const hasLicence = marking !== 'open'
  // What was cut off ends in the middle of a line.
  const body = hasLicence ? parts.body : [...parts.body, 'The']
  const behind = hasLicence ? [endOf(parts), ...licence(parts)] : []
  const lines = [...head(parts), startOf(parts), ...body, ...behind]
  const bytes = encode(lines.join(lineEnd) + (hasLicence ? lineEnd : ''), encoding)
  const left = ({ markers, lineEndings, encoding: read }: Reading) => {
    if (marking === 'none' || (marking === 'the' && markers === 'narrow')) return undefined
    const kept = marking === 'mixed' && markers === 'narrow' ? [...body, ...behind] : body
    const between = lineEndings === 'exact' ? '\n\n' : '\n'
    const final = hasLicence ? between : between.slice(1)
    return Buffer.from(encode(kept.join(between) + final, encoding).toString(read))
  }
  return { bytes, left }
}

function encode(text: string, encoding: Encoding): Buffer {
  return Buffer.from(text, encoding)
}

function head({ title, author, quotesEnd, encoding }: TextParts): string[] {
  const quoted = quotesEnd ? ['The words "End of Project" stand where this book ends.', ''] : []
  return [
    ...[`The Project Gutenberg EBook of ${flat(title)}, by ${author}`, ''],
    ...['This eBook is for the use of anyone anywhere at no cost.', '', ...quoted],
    ...[`Title: ${flat(title)}`, '', `Author: ${author}`, ''],
    ...[`Character set encoding: ${encoding === 'utf8' ? 'UTF-8' : 'ISO-8859-1'}`, ''],
  ]
}

function startOf({ marking, title }: TextParts): string {
  const which = { this: 'THIS ', the: 'THE ', mixed: 'THIS ', open: 'THIS ', none: '' }[marking]
  return which === '' ? '*** THE BEGINNING ***' : `*** START OF ${which}PROJECT GUTENBERG EBOOK ${flat(title)} ***`
}

function endOf({ marking, title, author }: TextParts): string {
  if (marking === 'the') return `*** END OF THE PROJECT GUTENBERG EBOOK ${flat(title)} ***`
  const which = marking === 'mixed' ? 'End of the Project' : 'End of Project'
  return `${which} Gutenberg's ${flat(title)}, by ${author}`
}

function licence({ marking, title }: TextParts): string[] {
  const closing = marking === 'the' ? [] : ['', `*** END OF THIS PROJECT GUTENBERG EBOOK ${flat(title)} ***`]
  return [...closing, '', 'Updated editions will replace the previous one.', '', 'Section 1. General Terms of Use']
}

function flat(title: string): string {
  return title.replace(/\s+/g, ' ')
}
