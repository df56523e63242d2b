import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { openReport } from './report.ts'

const folder = mkdtempSync(join(tmpdir(), 'arriero-report-'))
afterAll(() => rmSync(folder, { recursive: true }))

test('openReport() writes one JSON object per line, however many there are', () => {
  const path = join(folder, 'many.jsonl')
  const report = openReport(path)
  for (let index = 0; index < 10_000; index++) report.add({ index, name: 'ü\n' })
  report.close()
  const rows = readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
  expect(rows).toHaveLength(10_000)
  expect(rows.at(-1)).toEqual({ index: 9999, name: 'ü\n' })
})

test('openReport() fails before anything is transferred when it cannot be written', () => {
  expect(() => openReport(join(folder, 'no', 'such', 'folder'))).toThrow(/Cannot write the report/)
})
