import { expect, test } from 'vitest'
import { overviewAt } from '../../../test/stand-in/overview.ts'
import { verdictOfFlow, verdictOfNeeds, verdictOfProofs, verdictOfStores } from './verdicts.ts'

const now = Date.UTC(2026, 10, 22, 4)
const night = overviewAt(now)

test('what waits and does not move is stuck, however much moves elsewhere', () => {
  expect(verdictOfFlow(night, now)).toMatchObject({ tone: 'bad', detail: 'to erebus' })
  const paused = night.backlog.map(each => ({ ...each, enabled: false }))
  expect(verdictOfFlow({ ...night, backlog: paused })).toMatchObject({ tone: 'good' })
  expect(verdictOfFlow({ flow: [], backlog: [] })).toMatchObject({ tone: 'idle' })
  const begun = night.backlog.map(each => ({ ...each, oldest_time: new Date(now - 20_000).toISOString() }))
  expect(verdictOfFlow({ ...night, backlog: begun }, now)).toMatchObject({ tone: 'good' })
})

test('errors come before warnings', () => {
  expect(verdictOfNeeds(night.needs)).toMatchObject({ tone: 'bad', answer: '2 errors', detail: 'and 1 warning' })
  expect(verdictOfNeeds(night.needs.slice(2))).toMatchObject({ tone: 'warn', answer: '1 warning' })
  expect(verdictOfNeeds([])).toMatchObject({ tone: 'good' })
})

test('proofs are good only if nothing is bad, away, never read or late', () => {
  const none = { mismatch: 0, missing: 0, unreadable: 0, unavailable: 0, 'never-checked': 0 }
  const good = { ...night.proof, unproven_files: 0, by_state: { ok: 5, ...none } }
  expect(verdictOfProofs(night.proof, now)).toMatchObject({ tone: 'bad', answer: '3 bad copies' })
  expect(verdictOfProofs(good, now)).toMatchObject({ tone: 'good', detail: 'oldest proof 61 d 00 h old' })
  expect(verdictOfProofs({ ...good, by_state: { ok: 5, ...none, unavailable: 2 } }, now).tone).toBe('warn')
  expect(verdictOfProofs({ ...good, unproven_files: 2 }, now).tone).toBe('warn')
  expect(verdictOfProofs({ ...good, period_seconds: 86_400 }, now).tone).toBe('warn')
})

test('a store that is away is graver than one that will be full, and neither is asked of one that is switched off', () => {
  expect(verdictOfStores(night.stores, now)).toMatchObject({ tone: 'bad', detail: 'disk-03' })
  const there = night.stores.filter(({ available }) => available)
  expect(verdictOfStores(there, now)).toMatchObject({ tone: 'warn', detail: 'disk-01 is full in 12 d' })
  expect(
    verdictOfStores(
      night.stores.map(store => ({ ...store, enabled: false })),
      now,
    ).tone,
  ).toBe('good')
})
