import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type BadRow, type Book, readBooks } from './books.ts'

async function read(text: string): Promise<{ file: string; rows: (Book | BadRow)[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'arriero-books-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const file = join(folder, 'books.csv')
  await writeFile(file, text)
  const rows: (Book | BadRow)[] = []
  for await (const row of readBooks(file)) rows.push(row)
  return { file, rows }
}

describe('readBooks()', () => {
  test('reads titles with commas, quotes and line ends, and rows with empty columns more', async () => {
    const { rows } = await read(
      'Author,FileNumber,Title\nA. Author,31604,"Works, with Notes\n    (Volume ""I"")"\n"B, C", 5 ,Short,,\n',
    )
    expect(rows).toEqual([
      { id: '31604', number: 31604, author: 'A. Author', title: 'Works, with Notes\n    (Volume "I")', line: 2 },
      { id: '5', number: 5, author: 'B, C', title: 'Short', line: 4 },
    ])
  })

  test('names the file, the column and the line when a column is missing', async () => {
    await expect(read('Author,Number,Title\nA,1,T\n')).rejects.toMatchObject({
      code: 'Usage',
      message: expect.stringMatching(
        /^Cannot read .*books\.csv \(line 1\): the header must have a column "FileNumber"/,
      ),
    })
  })

  test('tells each row that names no book, in its place, and goes on', async () => {
    const { file, rows } = await read(
      'Author,FileNumber,Title\nA,x12,T\nA,1,T\nA,2\nA,0,T\nA,-3,T\nA,4.0,T\nA,007,T\nA,,T\nA,1,again\nA,9,T\n"A"B,8,T\n',
    )
    expect(rows.map(row => ('why' in row ? `${row.line}!` : `${row.line}:${row.number}`))).toEqual([
      '2!',
      '3:1',
      '4!',
      '5!',
      '6!',
      '7!',
      '8!',
      '9!',
      '10!',
      '11:9',
      '12!',
    ])
    expect(rows[0]).toEqual({
      id: 'line 2',
      line: 2,
      why: `Cannot use line 2 of ${file}: FileNumber must be a whole number from 1, got "x12"`,
    })
    expect(rows[8]).toMatchObject({ why: expect.stringContaining('line 10 of') })
    expect(rows[8]).toMatchObject({ why: expect.stringContaining('book 1 is on line 3 already') })
  })
})
