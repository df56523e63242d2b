import { describe, expect, test } from 'vitest'
import { benchRecord, runsOf } from '../../test/bench-records.ts'
import { parseRecords } from './read-records.ts'

const line = (value: object) => JSON.stringify(value)
const good = benchRecord(1)

describe('parseRecords()', () => {
  test('reads what was written, and leaves fields alone that it does not know', () => {
    const records = [good, ...runsOf({ name: 'defaults' }, [2])]
    const text = `${records.map(line).join('\n')}\n\n`
    expect(parseRecords(text, 'r')).toEqual(records)
    expect(parseRecords(line({ ...good, scaled: null }), 'r')).toHaveLength(1)
  })

  const { bytes: _, ...without } = good
  test.each([
    ['a line that was cut off', line(good).slice(0, 50), 'it is not JSON, or was cut off'],
    ['a list', '[]', 'it is not an object'],
    ['a missing field', line(without), 'bytes is missing'],
    ['a field of another kind', line({ ...good, wall_seconds: '1' }), 'wall_seconds is not right'],
    ['less than no time', line({ ...good, wall_seconds: -1 }), 'wall_seconds is not right'],
    ['half a machine', line({ ...good, machine: { cpu: 'c' } }), 'machine.cores is missing'],
    ['half a configuration', line({ ...good, configuration: {} }), 'configuration.name is missing'],
  ])('refuses %s, naming file and line', (_, text, what) => {
    expect(() => parseRecords(`${line(good)}\n${text}\n`, 'r.jsonl')).toThrow(
      `r.jsonl, line 2: no run of a benchmark: ${what}.`,
    )
  })

  test('refuses a file without a single run', () => {
    expect(() => parseRecords('\n', 'r.jsonl')).toThrow('r.jsonl has no runs.')
  })
})
