import { expect, test } from 'vitest'
import { draw, now, textOf } from '../../../test/drawn.tsx'
import { overviewAt } from '../../../test/stand-in/overview.ts'
import { Backlog } from './backlog.tsx'
import { Needs } from './needs.tsx'
import { Proofs } from './proofs.tsx'
import { stateShares } from './state-shares.ts'
import { Stores } from './stores.tsx'

const night = overviewAt(now)

test('what needs a person says how grave it is, what is so, what to do, and where', () => {
  const html = draw(<Needs needs={night.needs} />)
  expect(textOf(html)).toContain('error The store disk-03 is away')
  expect(textOf(html)).toContain('Next: Mount the disk; the librarian notices by itself. Go to stores')
  expect(html).toContain('href="/dashboard/stores"')
})

test('text of the server is text, whatever it is', () => {
  const hostile = '<img src=x onerror=alert(1)>'
  const html = draw(<Needs needs={[{ ...night.needs[0]!, title: hostile, detail: hostile }]} />)
  expect(html).not.toContain('<img')
  expect(textOf(html)).toContain('onerror=alert(1)')
})

test('the backlog tells what drains, what does not move, and what is paused', () => {
  const text = textOf(draw(<Backlog backlog={night.backlog} />))
  expect(text).toMatch(/nyx answers 1,834 2\.40 TiB 310 GiB\/h 7 h 55 min 5 h ago/)
  expect(text).toMatch(/erebus does not answer 412 96\.0 GiB 0 B\/h does not move 3 d ago/)
  expect(text).toMatch(/hemera paused 0 0 B 12\.0 GiB\/h empty/)
})

test('stores tell their fill by number, and when they will be full', () => {
  const text = textOf(draw(<Stores stores={night.stores} />))
  expect(text).toMatch(/disk-01 in use 93 % 4\.10 TiB 60\.0 TiB 348 GiB in 12 d 2026-12-04 04:00 UTC/)
  expect(text).toMatch(/disk-03 away: its marker is not there/)
})

test('proofs name states that there are, and one bad copy among a million is seen', () => {
  const text = textOf(draw(<Proofs proof={night.proof} />))
  expect(text).toContain('wrong bytes 1')
  expect(text).not.toContain('missing')
  const [good, ...others] = stateShares({ ...night.proof.by_state, ok: 1_000_000, mismatch: 1 })
  expect(good).toMatchObject({ state: 'ok', count: 1_000_000 })
  expect(others.find(({ state }) => state === 'mismatch')?.share).toBe(0.01)
})
