import { summarise } from '@arriero/transfer'
import { expect, test } from 'vitest'
import { sampleAt } from '../../test/samples.ts'
import { summaryJson, summaryText } from './summary-text.ts'

const marks = [{ name: 'fetch', at: new Date(0).toISOString() }]
const samples = [
  sampleAt(100, { disk_iops: 1234.5, net_sent: null, marks }),
  sampleAt(3_600_350, { disk_iops: 2234.5, net_sent: null }),
]

test('the summary has a block for each metric: unit, four decimals, thousands separated', () => {
  const text = summaryText(summarise(samples))
  expect(text).toMatch(/^Duration: 3,600\.250 sec\n\ncpu_avg \(%\)\n {2}avg: +50\.0000\n/)
  expect(text).toContain(
    [
      'disk_iops (count/s)',
      '  avg:    1,734.5000',
      '  max:    2,234.5000',
      '  min:    1,234.5000',
      '  median: 1,734.5000',
      '  first:  1,234.5000',
      '  p5:     1,234.5000',
      '  p95:    2,234.5000',
    ].join('\n'),
  )
  expect(text).toContain('net_sent (Gbit/s)\n  unknown')
  expect(text).toMatch(/\n\nPhases\n {2}fetch: 3,600\.350 sec$/)
})

test('the same for programs', () => {
  expect(summaryJson(summarise(samples))).toMatchObject({
    duration: 3600.25,
    samples: 2,
    metrics: { disk_iops: { unit: 'count/s', avg: 1734.5, p95: 2234.5 }, net_sent: { unknown: true } },
    phases: [{ name: 'fetch', seconds: 3600.35 }],
  })
})

test('names from a file cannot move the cursor', () => {
  const odd = summarise([
    sampleAt(1, { '\u001b[2J': 5, marks: [{ name: '\u001b[31m', at: new Date(0).toISOString() }] }),
  ])
  expect(summaryText(odd)).not.toContain('\u001b')
})
