import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type CsvOptions, readCsv } from './read-csv.ts'

const BOOKS = ['Author', 'FileNumber', 'Title'] as const

async function* cut(bytes: Uint8Array, size = bytes.length) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function read<Column extends string>(text: string | Uint8Array, options: CsvOptions<Column> = {}, size?: number) {
  const rows: (Record<string, string> & { line?: never })[] = []
  const lines: number[] = []
  for await (const { line, cells } of readCsv(cut(Buffer.from(text as string), size), options)) {
    rows.push({ ...cells } as never)
    lines.push(line)
  }
  return { rows, lines }
}

describe('readCsv()', () => {
  test('takes quoted cells with delimiters, quotes and line ends, and says on which line each row begins', async () => {
    const text =
      'Author,FileNumber,Title\nA,1,"x, ""y""\n  z"\n\nB,2,plain\r\n"C, D",3,"Notes\r\n(Volume I)"\nE,4,no line end'
    expect(await read(text, { columns: BOOKS })).toEqual({
      lines: [2, 5, 6, 8],
      rows: [
        { Author: 'A', FileNumber: '1', Title: 'x, "y"\n  z' },
        { Author: 'B', FileNumber: '2', Title: 'plain' },
        { Author: 'C, D', FileNumber: '3', Title: 'Notes\r\n(Volume I)' },
        { Author: 'E', FileNumber: '4', Title: 'no line end' },
      ],
    })
  })

  test('finds columns by name, in any order, among others, and leaves those out', async () => {
    const { rows } = await read('Title, FileNumber ,Year,Author\nT,1,1520,A\n', { columns: BOOKS })
    expect(rows).toEqual([{ Author: 'A', FileNumber: '1', Title: 'T' }])
    expect((await read('a,,b\n1,2,3\n')).rows).toEqual([{ a: '1', b: '3' }])
  })

  test('passes over empty cells behind the last column, in the header and in rows', async () => {
    const { rows } = await read('a,b,,\n1,2\n3,4,,\n5,6,,,,\n', { columns: ['a', 'b'] })
    expect(rows.map(({ a, b }) => a! + b!)).toEqual(['12', '34', '56'])
  })

  test('names the file, the column and the line of a header that lacks one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'arriero-csv-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    const file = join(folder, 'books.csv')
    await writeFile(file, '\nAuthor,Number,Title\nA,1,T\n')
    await expect(readCsv(file, { columns: BOOKS }).next()).rejects.toMatchObject({
      code: 'Usage',
      message: `Cannot read ${file} (line 2): the header must have a column "FileNumber", got "Author", "Number", "Title"`,
    })
    await expect(readCsv(file, { columns: ['x', 'Title', 'y'] }).next()).rejects.toThrow('columns "x", "y", got')
    await expect(readCsv(`${file}.not`).next()).rejects.toMatchObject({ code: 'Disk', message: /no such file/ })
  })

  test.each([
    ['', 'it must begin with a header, got nothing'],
    ['\n \n', 'it must begin with a header, got nothing'],
    ['a,a\n', 'a name of its own, got "a" twice'],
    ['"a"x\n', 'closing quote'],
    ['\xff\xfea\0', 'UTF-16'],
  ])('refuses the header %j', async (text, met) => {
    await expect(read(Buffer.from(text, 'latin1'))).rejects.toMatchObject({
      code: 'Usage',
      message: expect.stringContaining(met),
    })
  })

  test('throws the first row that cannot be read, after those before it', async () => {
    const rows = readCsv(cut(Buffer.from('a,b\n1,2\n3\n5,6\n')), { name: 'm.csv' })
    expect((await rows.next()).value).toMatchObject({ line: 2 })
    await expect(rows.next()).rejects.toMatchObject({
      code: 'Usage',
      message: 'Cannot use line 3 of m.csv: a row must have 2 cells as the header has, got 1',
    })
  })

  test('tells each row that cannot be read, and goes on', async () => {
    const told: [number, string][] = []
    const text = Buffer.concat([
      Buffer.from('a,b\n1,2\n"3"x,4\n5,6,7\n'),
      Buffer.from('caf\xe9,8\n', 'latin1'),
      Buffer.from('9,10\n11,"open\n12,13\n'),
    ])
    const { rows } = await read(text, { onBadRow: (error, line) => told.push([line, error.message]) })
    expect(rows.map(({ a }) => a)).toEqual(['1', '9', '12'])
    expect(told).toEqual([
      [3, expect.stringMatching(/^Cannot use line 3 of the table: a closing quote must be followed/)],
      [4, expect.stringContaining('2 cells as the header has, got 3')],
      [5, expect.stringContaining('it must be UTF-8, got byte 0xe9')],
      [7, expect.stringContaining('every quote must be closed')],
    ])
  })

  test('reads tables that are separated by tabs, by their name or when told so', async () => {
    expect((await read('a\tb\n1,5\t2\n', { name: 'm.tsv' })).rows).toEqual([{ a: '1,5', b: '2' }])
    expect((await read('a\tb\n1,5\t2\n', { delimiter: '\t' })).rows).toEqual([{ a: '1,5', b: '2' }])
  })

  test('gives back what was written, wherever the bytes are cut', async () => {
    const cell = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r', ' ', 'é', '漢', '😀'), maxLength: 8 })
    const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(cell, cell), { maxLength: 8 }), fc.nat(6), async (cells, size) => {
        const text = ['\ufeffx,y', ...cells.map(row => row.map(quoted).join(','))].join('\r\n')
        const { rows } = await read(text, { columns: ['x', 'y'] }, size + 1)
        expect(rows).toEqual(cells.map(([x, y]) => ({ x, y })))
      }),
    )
  })

  test('stops when it is told to', async () => {
    const aborter = new AbortController()
    const rows = readCsv(cut(Buffer.from('a\n1\n2\n'), 4), { signal: aborter.signal })
    await rows.next()
    aborter.abort(new Error('enough'))
    await expect(rows.next()).rejects.toThrow('enough')
  })
})
