import { describe, expect, test } from 'vitest'
import { benchRecord, runsOf } from '../../test/bench-records.ts'
import { groupRecords } from './groups.ts'
import { drawBench } from './picture.ts'

const grid = [1, 2].flatMap(threads =>
  [1, 4].flatMap(connections =>
    [2 ** 20, 2 ** 23].flatMap(part_size =>
      runsOf({ name: `${threads} ${connections} ${part_size}`, threads, connections, part_size }, [
        8 / threads / connections,
      ]),
    ),
  ),
)

describe('drawBench()', () => {
  test('has a panel for each number of threads, the value in each cell, and one frame', async () => {
    const { svg } = await drawBench(groupRecords([...grid, benchRecord(1, { tool: 'curl' })]))
    expect(svg).toContain('1 digest thread')
    expect(svg).toContain('2 digest threads')
    for (const value of ['1.00', '4.00', '2.00', '8.00']) expect(svg).toContain(`>${value}<`)
    expect(svg.match(/stroke="#000000" stroke-width="3"/g)).toHaveLength(1)
    expect(svg).toContain('>curl<')
  })

  test('names from outside cannot break the picture', async () => {
    const { svg } = await drawBench(groupRecords(grid.map(record => ({ ...record, scenario: '<b>&"' }))))
    expect(svg).toContain('&lt;b&gt;&amp;')
    expect(svg).not.toContain('<b>')
  })
})
