import { expect, test } from 'vitest'
import type { SiteStore } from '../../stores/stores.ts'
import { createDiskTrouble } from './disk-trouble.ts'
import { judgeFailure } from './failures.ts'

const MINUTE_MS = 60_000

function ward() {
  let now = 0
  const disabled: string[] = []
  const raised: string[] = []
  const trouble = createDiskTrouble({
    clock: { now: () => now } as never,
    alarms: {
      raise: async ({ severity, message }: { severity: string; message: string }) =>
        void raised.push(`${severity}: ${message}`),
    } as never,
    disableStore: async name => disabled.push(name),
  })
  const store = (id: number) => ({ id, name: `disk${id}` }) as SiteStore
  return {
    disabled,
    raised,
    pass: (ms: number) => {
      now += ms
    },
    fail: (id: number) => trouble.note(store(id), new Error('the disk failed (EIO)')),
  }
}

test('createDiskTrouble() disables a store at the second failure within an hour, and says so', async () => {
  const { disabled, raised, fail, pass } = ward()
  await fail(1)
  expect(disabled).toEqual([])
  expect(raised[0]).toMatch(/^error: The disk of store disk1 failed: the disk failed \(EIO\)/)
  pass(59 * MINUTE_MS)
  await fail(1)
  expect(disabled).toEqual(['disk1'])
  expect(raised[1]).toMatch(/^critical: Store disk1 is disabled/)
})

test('createDiskTrouble() takes failures that are an hour apart, or of two disks, for sectors', async () => {
  const { disabled, fail, pass } = ward()
  await fail(1)
  await fail(2)
  pass(60 * MINUTE_MS)
  await fail(1)
  expect(disabled).toEqual([])
})

test.each([
  ['EIO', true],
  ['EROFS', false],
  ['ENOSPC', false],
  ['EMFILE', false],
])('judgeFailure() takes %s, wherever it is among the causes, for a failing disk: %s', (code, expected) => {
  const cause = Object.assign(new Error('fsync'), { code })
  expect(judgeFailure(new Error('cannot prepare', { cause })).isDiskTrouble).toBe(expected)
})
