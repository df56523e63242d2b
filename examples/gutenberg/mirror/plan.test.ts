import { describe, expect, test } from 'vitest'
import { chooseText } from '../choose.ts'
import { clean, encodingOf } from '../clean.ts'
import { kinds } from './kinds.ts'
import { type PlannedBook, planBooks } from './plan.ts'

const options = { books: 60, shortest: 2000, longest: 20_000 }
const readings = (['narrow', 'wide'] as const).flatMap(markers =>
  (['once', 'exact'] as const).map(lineEndings => ({ markers, lineEndings })),
)

describe('planBooks()', () => {
  test('makes the same books for the same seed, and others for another', () => {
    const bytesOf = (seed: number) => [...planBooks({ ...options, seed })].map(({ text }) => text?.book.bytes)
    expect(bytesOf(7)).toEqual(bytesOf(7))
    expect(bytesOf(7)).not.toEqual(bytesOf(8))
  })

  test('has every kind among its first books, and the numbers whose places are known', () => {
    const books = [...planBooks({ ...options, books: Object.keys(kinds).length })]
    expect(new Set(books.map(({ kind }) => kind))).toEqual(new Set(Object.keys(kinds)))
    expect(books.map(({ number }) => number)).toEqual(expect.arrayContaining([5, 10, 418, 1670, 31604]))
  })

  test('knows from the parts of a book what the rules find in it', () => {
    const warned = new Set<string>()
    for (const book of planBooks(options)) {
      expect(chooseText(book.number, namesOf(book)), book.kind).toBe(book.text?.name)
      if (!book.text) continue
      const { name, book: made } = book.text
      for (const reading of readings) {
        for (const encoding of ['latin1', encodingOf(name)] as const) {
          const left = made.left({ ...reading, encoding })
          const { content, hasStart } = clean(made.bytes, { ...reading, encoding })
          expect(hasStart, book.kind).toBe(left !== undefined)
          expect(Buffer.compare(content, left ?? Buffer.alloc(0)), `${book.kind} ${JSON.stringify(reading)}`).toBe(0)
          if (!hasStart) warned.add(book.kind)
        }
      }
    }
    expect(warned).toEqual(new Set(['the', 'theUtf8', 'unmarked', 'onlyReadme', 'empty']))
  })
})

/** As a server lists them: names of files and, with a slash, of directories. */
function namesOf({ number, kind, text }: PlannedBook): string[] {
  const paths = kinds[kind].beside?.(number) ?? []
  return [...paths.map(path => path.replace(/\/.*$/, '/')), ...(text ? [text.name] : [])]
}
