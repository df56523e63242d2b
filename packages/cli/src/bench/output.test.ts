import { describe, expect, test } from 'vitest'
import { benchRecord, runsOf } from '../../test/bench-records.ts'
import { formatRecords, wrap } from './output.ts'

const records = [
  ...runsOf({ name: 'defaults' }, [1.5, 1.4, 1.6]),
  ...[1, 4, 16].flatMap((connections, row) =>
    [2 ** 20, 2 ** 23].flatMap((part_size, column) =>
      runsOf(
        { name: `${connections} × ${part_size / 2 ** 20}MiB`, connections, part_size },
        [3, 3.1, 3.2].map(seconds => seconds / (row + 1) / (column + 1)),
      ),
    ),
  ),
  benchRecord(2, { tool: 'curl', version: '8', retries: null, peak_resident_bytes: null, peak_connections: null }),
  benchRecord(2, {
    tool: 'axel -n16',
    is_right: false,
    problem: 'exit code 1: a|b\nand a lot more that is said of it',
  }),
]

describe('formatRecords()', () => {
  test('a table fits 80 columns, the fastest first, the best cell in brackets, what failed last', () => {
    const text = formatRecords(records, 'table', { columns: 80 })
    const lines = text.split('\n')
    for (const line of lines) expect(line.length, line).toBeLessThan(80)
    expect(lines[3]).toMatch(/^arriero 16 × 8MiB +517 ms +500 – 533 ms +15\.48 /)
    expect(text).toMatch(/^connections +1MiB +8MiB/m)
    expect(text).toMatch(/^ +16 +7\.74 +\[15\.48\]/m)
    expect(text).toMatch(/^axel -n16 +left out: exit code 1: a\|b and/m)
    expect(text.indexOf('axel')).toBeGreaterThan(text.indexOf('curl'))
  })

  test('part sizes that do not fit beside each other go below', () => {
    const sizes = Array.from({ length: 9 }, (_, index) => 2 ** (12 + index))
    const many = sizes.flatMap(part_size => runsOf({ name: `1 × ${part_size}`, connections: 1, part_size }, [1]))
    const text = formatRecords(many, 'table', { columns: 80 })
    for (const line of text.split('\n')) expect(line.length, line).toBeLessThan(80)
    expect(text.match(/^connections +\d+KiB/gm)).toHaveLength(2)
  })

  test('Markdown has a table for each scenario, and nothing that would break it', () => {
    const two = [...records, ...runsOf({ name: 'defaults' }, [1], { scenario: 'tls' })]
    const text = formatRecords(two, 'markdown', { columns: 80 })
    expect(text).toMatch(/^## plain$/m)
    expect(text).toMatch(/^## tls$/m)
    expect(text).toContain('| axel -n16 | 1.2.3 | 0 | left out: exit code 1: a\\|b and a lot')
    const rows = text.split('\n').filter(line => line.startsWith('|'))
    for (const row of rows) expect(row.replaceAll('\\|', '').split('|')).toHaveLength(11)
  })

  test('CSV quotes what needs it', () => {
    const [head, ...rows] = formatRecords(records, 'csv', { columns: 80 }).trimEnd().split('\r\n')
    expect(head).toMatch(/^scenario,tool,version,configuration,connections,part_size,threads,runs,bytes,/)
    expect(rows[0]).toMatch(/^plain,arriero,1\.2\.3,defaults,,,,3,1000000000,1\.5,1\.4,1\.6,/)
    expect(rows.at(-1)).toMatch(/,"exit code 1: a\|b\nand a lot more that is said of it"$/)
  })

  test('downloadperf has run, seconds, files before and after, of right runs only', () => {
    expect(formatRecords(records, 'downloadperf', { columns: 80 })).toMatch(
      /^# plain arriero defaults\nDownloadPerf 1 1\.50 0 1\nDownloadPerf 2 1\.40 0 1\nDownloadPerf 3 1\.60 0 1\n# plain/,
    )
    expect(formatRecords(records, 'downloadperf', { columns: 80 })).not.toContain('axel')
  })
})

test('wrap() breaks between words', () => {
  expect(wrap('one two three', 9)).toEqual(['one two', 'three'])
})
