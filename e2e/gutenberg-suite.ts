/**
 * The Gutenberg example against an FTP server: what it makes of a mirror, byte for byte, is known from how the mirror was
 * made.
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createEngine } from '@arriero/transfer'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { encodingOf } from '../examples/gutenberg/clean.ts'
import type { CleanFileOptions } from '../examples/gutenberg/clean-file.ts'
import type { PlannedBook } from '../examples/gutenberg/mirror/plan.ts'
import { type Mirror, writeMirror } from '../examples/gutenberg/mirror/write.ts'
import { sequential } from '../examples/gutenberg/sequential.ts'

export interface Served extends AsyncDisposable {
  /** The root of the mirror; does not end with a slash. */
  readonly origin: string
  /** Most connections at once so far. */
  peak(): number
  /** Another content from now on. @param path below the root @param time milliseconds since 1970 */
  put(path: string, content: Uint8Array, time: number): Promise<void>
}

export interface GutenbergSuite {
  /** Serves what a directory holds now. */
  serve(root: string): Promise<Served>
}

export function describeGutenberg(name: string, { serve }: GutenbergSuite): void {
  let place: string
  let mirror: Mirror
  let served: Served

  beforeAll(async () => {
    place = await mkdtemp(join(tmpdir(), 'arriero-gutenberg-'))
    mirror = await writeMirror(place, { books: 24, shortest: 2000, longest: 60_000 })
    served = await serve(mirror.root)
  })
  afterAll(async () => {
    await served?.[Symbol.asyncDispose]()
    await rm(place, { recursive: true, force: true })
  })

  let downloads: string
  beforeEach(async () => {
    downloads = await mkdtemp(join(place, 'downloads-'))
  })

  async function run(cleaning: CleanFileOptions = {}, isEncodingByKind = false) {
    await using engine = createEngine({ connections: 4 })
    const told: string[] = []
    const tell = (what: string) => void told.push(what)
    const { csv } = mirror
    const setting = { csv, mirror: served.origin, downloads, engine, cleaning, isEncodingByKind, tell }
    return { ...(await sequential(setting)), told }
  }

  const withText = () => mirror.books.filter(hasText)

  async function expectBooks(cleaning: CleanFileOptions = {}, isEncodingByKind = false): Promise<void> {
    const { markers = 'narrow', lineEndings = 'once' } = cleaning
    const names = withText().flatMap(({ number }) => [`${number}.txt`, `${number}-mod.txt`])
    expect((await readdir(downloads)).sort()).toEqual(names.sort())
    for (const { number, kind, text } of withText()) {
      const encoding = isEncodingByKind ? encodingOf(text.name) : 'latin1'
      const left = text.book.left({ markers, lineEndings, encoding }) ?? Buffer.alloc(0)
      await expectContent(join(downloads, `${number}.txt`), text.book.bytes, kind)
      await expectContent(join(downloads, `${number}-mod.txt`), left, `${kind}, cleaned`)
    }
  }

  describe(name, () => {
    test('every book is there, downloaded and cleaned, and nothing else', async () => {
      const { downloaded, withoutText, failed, told } = await run()
      await expectBooks()
      expect(downloaded).toBe(withText().length)
      expect(withoutText).toBe(mirror.books.length - downloaded)
      expect(failed).toBe(mirror.badLines.length)
      for (const { number, text } of mirror.books) {
        expect(told.includes(`${number}: no text file`), String(number)).toBe(text === undefined)
      }
      for (const line of mirror.badLines) expect(told).toContainEqual(expect.stringContaining(`line ${line} of`))
      const empty = withText().filter(({ text }) => isNothingLeft(text.book))
      expect(told.filter(line => line.includes('no start marker')).sort()).toEqual(
        empty.map(({ number }) => `${number}: it has no start marker: nothing is left of it`).sort(),
      )
    })

    test('a second run fetches what has changed, and takes no output for input', async () => {
      await run()
      expect(await run()).toMatchObject({ downloaded: 0, unchanged: withText().length })
      await expectBooks()
      const [changed] = withText() as [PlannedBookWithText]
      const remote = join(changed.directory, changed.text.name)
      const before = changed.text.book.bytes
      const other = Buffer.concat([before.subarray(0, before.length - 6), Buffer.from('Agreed')])
      await served.put(remote, other, changed.time + 2000)
      try {
        expect(await run()).toMatchObject({ downloaded: 1, unchanged: withText().length - 1 })
        expect((await readFile(join(downloads, `${changed.number}.txt`))).toString('latin1')).toMatch(/Agreed$/)
      } finally {
        await served.put(remote, before, changed.time)
      }
      expect(await run()).toMatchObject({ downloaded: 1 })
      await expectBooks()
    })

    test('wide markers, and every book read as its kind tells', async () => {
      await run({ markers: 'wide' }, true)
      await expectBooks({ markers: 'wide' }, true)
    })

    test('doubled line ends, byte for byte', async () => {
      await run({ lineEndings: 'exact' })
      await expectBooks({ lineEndings: 'exact' })
    })
  })
}

type PlannedBookWithText = PlannedBook & { readonly text: NonNullable<PlannedBook['text']> }

function hasText(book: PlannedBook): book is PlannedBookWithText {
  return book.text !== undefined
}

function isNothingLeft(book: PlannedBookWithText['text']['book']): boolean {
  return book.left({ markers: 'narrow', lineEndings: 'once', encoding: 'latin1' }) === undefined
}

/** Not `toEqual`: a difference in a megabyte is not to be printed. */
async function expectContent(path: string, content: Uint8Array, what: string): Promise<void> {
  const isSame = Buffer.compare(await readFile(path), content) === 0
  expect(isSame, `${path} (${what})`).toBe(true)
}
