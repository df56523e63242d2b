/**
 * The Gutenberg example against an FTP server: what it makes of a mirror, byte for byte, is known from how the mirror was
 * made.
 */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type CleanOptions, encodingOf } from '../examples/gutenberg/clean.ts'
import type { PlannedBook } from '../examples/gutenberg/mirror/plan.ts'
import { type Mirror, writeMirror } from '../examples/gutenberg/mirror/write.ts'
import { arriero } from './program.ts'

export interface Served extends AsyncDisposable {
  /** The root of the mirror; does not end with a slash. */
  readonly origin: string
  /** Most connections at once so far. */
  peak(): number
  /** How often a command came so far. */
  count(verb: string): number
  /** Another content from now on. @param path below the root @param time milliseconds since 1970 */
  put(path: string, content: Uint8Array, time: number): Promise<void>
}

export interface GutenbergSuite {
  /** Serves what a directory holds now. */
  serve(root: string): Promise<Served>
  /** It cuts off transfers; a connection that this has spoilt may still be open when the one in its place is. */
  readonly isCutting?: boolean | undefined
}

/** A line of the program's output for one book. */
interface Row {
  readonly key: string
  readonly status: string
  readonly reason?: string
  readonly warnings?: readonly string[]
  readonly error?: { readonly message: string }
}

const example = fileURLToPath(new URL('../examples/gutenberg/gutenberg.ts', import.meta.url))

export function describeGutenberg(name: string, { serve, isCutting = false }: GutenbergSuite): void {
  let place: string
  let mirror: Mirror
  let served: Served
  let downloads: string

  beforeAll(async () => {
    place = await mkdtemp(join(tmpdir(), 'arriero-gutenberg-'))
    mirror = await writeMirror(place, { books: 24, shortest: 2000, longest: 60_000 })
    served = await serve(mirror.root)
  })
  afterAll(async () => {
    await served?.[Symbol.asyncDispose]()
    await rm(place, { recursive: true, force: true })
  })
  beforeEach(async () => {
    downloads = await mkdtemp(join(place, 'downloads-'))
  })

  async function run(options: Readonly<Record<string, string>> = {}, flags: readonly string[] = []) {
    const all = { csv: mirror.csv, mirror: served.origin, downloads, ...options }
    const said = Object.entries(all).flatMap(([name, value]) => ['--option', `${name}=${value}`])
    const before = served.count('RETR')
    const outcome = await arriero(['run', example, ...said, '--json', ...flags], { cwd: place })
    const lines = outcome.stdout.split('\n').filter(line => line !== '')
    const rows: Row[] = lines.map(line => JSON.parse(line)).filter(row => 'key' in row)
    return { ...outcome, rows, fetched: served.count('RETR') - before }
  }

  const withText = () => mirror.books.filter(hasText)

  async function expectBooks(cleaning: CleanOptions = {}, isKind = false, directory = downloads): Promise<void> {
    const { markers = 'narrow', lineEndings = 'once' } = cleaning
    const names = withText().flatMap(({ number }) => [`${number}.txt`, `${number}-mod.txt`])
    expect((await readdir(directory)).sort()).toEqual(names.sort())
    for (const { number, kind, text } of withText()) {
      const encoding = isKind ? encodingOf(text.name) : 'latin1'
      const left = text.book.left({ markers, lineEndings, encoding }) ?? Buffer.alloc(0)
      await expectContent(join(directory, `${number}.txt`), text.book.bytes, kind)
      await expectContent(join(directory, `${number}-mod.txt`), left, `${kind}, cleaned`)
    }
  }

  describe(name, () => {
    test.each(['sequential', 'inline', 'pooled'])('%s: every book is there, downloaded and cleaned', async shape => {
      const { code, rows, stderr } = await run({ shape })
      await expectBooks()
      expect(code, stderr).toBe(1)
      expect(stderr).toMatch(new RegExp(`^${shape}: \\d+\\.\\d\\d s in total, \\d+\\.\\d\\d s for the downloads$`, 'm'))
      const byKey = new Map(rows.map(row => [row.key, row]))
      expect(byKey.size).toBe(mirror.books.length + mirror.badLines.length)
      for (const { number, text, kind } of mirror.books) {
        const row = byKey.get(String(number))
        if (!text) expect(row, kind).toMatchObject({ status: 'dropped', reason: 'no text file' })
        else expect(row, kind).toMatchObject({ status: 'done' })
        const isEmpty = text && isNothingLeft(text.book)
        expect(row?.warnings?.includes('it has no start marker: nothing is left of it') ?? false, kind).toBe(
          isEmpty ?? false,
        )
      }
      for (const line of mirror.badLines) {
        const message = expect.stringContaining(`line ${line} of ${mirror.csv}`)
        expect(byKey.get(`line ${line}`)).toMatchObject({ status: 'failed', error: { message } })
      }
    })

    test('a second run fetches what has changed, and takes no output for input', async () => {
      await run()
      expect((await run()).fetched).toBe(0)
      await expectBooks()
      const [changed] = withText() as [PlannedBookWithText]
      const remote = join(changed.directory, changed.text.name)
      const before = changed.text.book.bytes
      const other = Buffer.concat([before.subarray(0, before.length - 6), Buffer.from('Agreed')])
      await served.put(remote, other, changed.time + 2000)
      try {
        expect((await run()).fetched).toBeGreaterThan(0)
        expect((await readFile(join(downloads, `${changed.number}.txt`))).toString('latin1')).toMatch(/Agreed$/)
        expect((await run()).fetched).toBe(0)
      } finally {
        await served.put(remote, before, changed.time)
      }
      expect((await run()).fetched).toBeGreaterThan(0)
      await expectBooks()
    })

    test('with a state, a second run asks only what has changed', async () => {
      const state = join(place, `${downloads}.state`)
      await run({}, ['--state', state])
      const again = await run({}, ['--state', state, '--recheck'])
      const statuses = again.rows.filter(({ status }) => status === 'unchanged')
      expect(statuses).toHaveLength(withText().length)
      expect(again.fetched).toBe(0)
      await expectBooks()
    })

    test('all shapes in turn, each into a directory of its own, and the times of all', async () => {
      const { stderr } = await run({ shape: 'all' })
      for (const shape of ['sequential', 'inline', 'pooled']) {
        await expectBooks({}, false, join(downloads, shape))
        expect(stderr).toMatch(new RegExp(`^${shape}: .* in total, .* for the downloads$`, 'm'))
      }
    })

    test('wide markers, and every book read as its kind tells', async () => {
      await run({ markers: 'wide', encoding: 'kind' })
      await expectBooks({ markers: 'wide' }, true)
    })

    test('doubled line ends, byte for byte', async () => {
      await run({ lineEndings: 'exact' })
      await expectBooks({ lineEndings: 'exact' })
    })

    test('no more connections than were allowed, listings included', async () => {
      await using own = await serve(mirror.root)
      await run({ mirror: own.origin, listings: '2' }, ['--connections', '3'])
      expect(own.peak()).toBeLessThanOrEqual(isCutting ? 8 : 5)
      await expectBooks()
    })

    test('a table without a column is told before anything is asked', async () => {
      const csv = join(place, 'other.csv')
      await writeFile(csv, 'Author,Number,Title\nA,5,T\n')
      const { code, stderr } = await arriero(['run', example, '--option', `csv=${csv}`, '--option', 'shape=all'])
      expect(code, stderr).toBe(2)
      expect(stderr).toContain(`${csv} (line 1): the header must have a column "FileNumber", got "Author", "Number"`)
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
