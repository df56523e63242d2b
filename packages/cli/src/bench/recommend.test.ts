import { describe, expect, test } from 'vitest'
import { benchRecord, runsOf } from '../../test/bench-records.ts'
import { groupRecords } from './groups.ts'
import { recommend, recommendationLines } from './recommend.ts'

const one = { name: '1 × 1MiB', connections: 1, part_size: 2 ** 20 }
const four = { name: '4 × 8MiB', connections: 4, part_size: 2 ** 23 }
const sixteen = { name: '16 × 8MiB', connections: 16, part_size: 2 ** 23 }

describe('recommend()', () => {
  test('takes the fastest where ranges are apart', () => {
    const groups = groupRecords([
      ...runsOf(one, [4, 4.1, 4.2], { peak_connections: 1 }),
      ...runsOf(four, [2, 2.1, 2.2], { peak_connections: 4 }),
      ...runsOf(sixteen, [1, 1.1, 1.2], { peak_connections: 16 }),
    ])
    expect(recommend(groups)).toMatchObject({ group: { label: '16 × 8MiB' }, isAllNoise: false })
    expect(recommendationLines(groups)[0]).toBe(
      'Recommended: arriero get … --connections 16 --part-size 8MiB: 7.27 Gbit/s over 16 connections.',
    )
  })

  test('gives what ties within 5 % or by overlapping ranges to fewer connections, and says so', () => {
    const groups = groupRecords([
      ...runsOf(one, [4, 4.1, 4.2], { peak_connections: 1 }),
      ...runsOf(four, [1.1, 1.3, 1.5], { peak_connections: 4 }),
      ...runsOf(sixteen, [1, 1.1, 1.2], { peak_connections: 16 }),
    ])
    expect(recommend(groups)?.group.label).toBe('4 × 8MiB')
    expect(recommendationLines(groups).join(' ')).toMatch(/16 × 8MiB had the best median.*within the noise.*costs less/)
  })

  test('takes less CPU among equal connections', () => {
    const groups = groupRecords([
      ...runsOf(four, [1, 1, 1], { user_cpu_seconds: 2 }),
      ...runsOf({ ...four, name: '4 × 1MiB' }, [1.01, 1.01, 1.01], { user_cpu_seconds: 1 }),
    ])
    expect(recommend(groups)?.group.label).toBe('4 × 1MiB')
  })

  test('ranges of two runs prove no tie', () => {
    const groups = groupRecords([
      ...runsOf(one, [1, 3], { peak_connections: 1 }),
      ...runsOf(four, [1, 1.1], { peak_connections: 4 }),
    ])
    expect(recommend(groups)?.group.label).toBe('4 × 8MiB')
    expect(recommendationLines(groups).join(' ')).toContain('Fewer than 3 rounds')
  })

  test('says honestly that nothing stands out', () => {
    const groups = groupRecords([...runsOf(one, [1, 2, 3]), ...runsOf(four, [1.1, 2.1, 3.1])])
    expect(recommendationLines(groups).join(' ')).toContain('within the noise of the runs')
  })

  test('tells whether flags are worth typing, and repeats those of a configuration', () => {
    const groups = groupRecords([
      ...runsOf({ name: 'defaults' }, [2, 2, 2], { peak_connections: 16 }),
      ...runsOf({ ...four, args: ['--header', 'X-Key: ***'] }, [1, 1, 1]),
    ])
    expect(recommendationLines(groups)).toEqual([
      "Recommended: arriero get … --connections 4 --part-size 8MiB --header 'X-Key: ***': 8.00 Gbit/s over 4 connections.",
      'Without any flags it is 100 % slower.',
    ])
  })

  test('a configuration with a wrong run is not recommended, however fast', () => {
    const wrong = benchRecord(0.1, {
      configuration: { ...one, threads: null, args: [] },
      is_right: false,
      problem: 'WRONG BYTES',
    })
    const groups = groupRecords([wrong, ...runsOf(four, [1, 1, 1])])
    expect(recommend(groups)?.group.label).toBe('4 × 8MiB')
    expect(groups[0]).toMatchObject({ runs: 0, problem: 'WRONG BYTES' })
  })

  test('says when more connections were allowed than used', () => {
    const lines = (peak_connections: number) =>
      recommendationLines(groupRecords(runsOf(four, [2, 2, 2], { peak_connections }))).join(' ')
    expect(lines(1)).toContain('No run used more than one connection')
    expect(lines(2)).not.toContain('No run')
  })

  test('peers are never recommended', () => {
    expect(recommend(groupRecords([benchRecord(1, { tool: 'curl' })]))).toBeUndefined()
  })
})
