import { expect, test } from 'vitest'
import type { HourOfTraffic } from '../../catalogue/operations/traffic.ts'
import { createTrafficHours } from './traffic-hours.ts'

const row = (hour: string): HourOfTraffic => ({ hour, direction: 'in', other: 'ada', storeId: 1, files: 1, bytes: 1 })

test('hours that are over are asked for once, also when several ask at the same time', async () => {
  const asked: string[] = []
  const hours = createTrafficHours({
    catalogue: {
      traffic: {
        hours: async ({ from }: { from: string }) => {
          asked.push(from.slice(0, 13))
          return ['2026-03-05T08', '2026-03-05T09', '2026-03-05T10'].filter(hour => hour >= from.slice(0, 13)).map(row)
        },
      } as never,
    },
  })
  const now = '2026-03-05T10:30:00.000000Z'
  const answers = await Promise.all([hours(now), hours(now), hours(now)])
  expect(asked).toEqual(['2026-02-26T11', '2026-03-05T10', '2026-03-05T10'])
  for (const rows of answers) {
    expect(rows.map(({ hour }) => hour)).toEqual(['2026-03-05T08', '2026-03-05T09', '2026-03-05T10'])
  }
})

test('a look that fails does not stand in the way of the next', async () => {
  let looks = 0
  const hours = createTrafficHours({
    catalogue: {
      traffic: {
        hours: async () => {
          if (++looks === 1) throw new Error('the database is away')
          return []
        },
      } as never,
    },
  })
  const now = '2026-03-05T10:30:00.000000Z'
  const [first, second] = await Promise.allSettled([hours(now), hours(now)])
  expect([first.status, second.status]).toEqual(['rejected', 'fulfilled'])
})
