import { expect, test } from 'vitest'
import { Notices } from './notices.ts'

const record = (msg: string) => ({ level: 'error', msg })
const all = (notices: Notices) => {
  const taken = []
  for (let notice = notices.take(); notice; notice = notices.take()) taken.push(notice)
  return taken
}

test('every record is told, counted or lost: none is forgotten', () => {
  const notices = new Notices({ windowMs: 100, mostKinds: 3, mostWaiting: 4 })
  let added = 0
  let told = 0
  for (let now = 0; now < 1000; now += 7) {
    for (let kind = 0; kind < (now % 9) + 1; kind++) {
      notices.add(record(`kind ${kind}`), now)
      added++
    }
    notices.sweep(now)
    if (now % 3 === 0) for (const notice of all(notices)) told += notice.count
  }
  notices.sweep(Number.POSITIVE_INFINITY)
  for (const notice of all(notices)) told += notice.count
  expect(told).toBe(added)
})

test('windows end in their order, and nothing that came once is told again', () => {
  const notices = new Notices({ windowMs: 100 })
  notices.add(record('a'), 0)
  notices.add(record('b'), 50)
  notices.add(record('b'), 60)
  expect(all(notices).map(({ records, count }) => [records[0]?.msg, count])).toEqual([
    ['a', 1],
    ['b', 1],
  ])
  expect(notices.nextSweep).toBe(100)
  notices.sweep(120)
  expect(all(notices)).toEqual([])
  notices.sweep(150)
  expect(all(notices)).toEqual([{ records: [record('b')], count: 1, lost: 0 }])
  // Of what goes on there is one in each window.
  expect(notices.nextSweep).toBe(250)
})

test('what was not sent is told with the next', () => {
  const notices = new Notices({ windowMs: 100 })
  notices.add(record('a'), 0)
  const lost = notices.take()!
  notices.lose(lost)
  expect(notices.take()).toBeUndefined()
  notices.add(record('b'), 1)
  expect(notices.take()).toMatchObject({ count: 1, lost: 1 })
})
