import { describe, expect, test } from 'vitest'
import { configurationRecord, flagsOf, spellSize, sweep } from './configuration.ts'

describe('sweep()', () => {
  test('has the defaults and every combination once', () => {
    const found = sweep({ connections: [1, undefined], partSizes: [2 ** 20, undefined], threads: [undefined] })
    expect(found.map(({ name }) => name)).toEqual(['defaults', '1 × 1MiB', '1 × auto', 'auto × 1MiB'])
  })

  test('names tell threads only where they are set', () => {
    const found = sweep({ connections: [4], partSizes: [2 ** 23], threads: [1, 2] })
    expect(found.map(({ name }) => name)).toEqual(['defaults', '4 × 8MiB, 1 thread', '4 × 8MiB, 2 threads'])
  })
})

test('flagsOf() gives what is typed, and nothing for what is left to the program', () => {
  expect(flagsOf({ connections: 4, partSize: 2 ** 23, threads: 2, args: ['--no-fsync'] })).toEqual([
    ...['--connections', '4', '--part-size', '8MiB', '--threads', '2', '--no-fsync'],
  ])
  expect(flagsOf({ args: [] })).toEqual([])
})

test('configurationRecord() keeps no values of headers', () => {
  const args = ['--header', 'Authorization: Bearer abc', '--header=X-Key: abc', '--header', '@file']
  expect(JSON.stringify(configurationRecord({ name: 'x', args }))).not.toContain('abc')
  expect(configurationRecord({ name: 'x', args }).args).toContain('@file')
})

test.each([
  [8388608, '8MiB'],
  [1024, '1KiB'],
  [2 ** 31, '2GiB'],
  [1000, '1000'],
])('spellSize(%d) is %s', (bytes, text) => {
  expect(spellSize(bytes)).toBe(text)
})
