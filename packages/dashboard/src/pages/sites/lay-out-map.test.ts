import { expect, test } from 'vitest'
import { BOX, layOutMap, MAP_WIDTH, shorten, waysOf } from './lay-out-map.ts'
import type { Site } from './site-state.tsx'

const none = { files: 0, bytes: 0 }
const some = { files: 2, bytes: 9 }

function site(librarian_name: string, changes: Partial<Site> = {}): Site {
  return {
    librarian_name,
    enabled: true,
    reachable: true,
    last_seen: '2026-11-22T04:00:00',
    last_heard: '2026-11-22T04:00:00',
    outgoing: none,
    incoming: none,
    sent: { ...none, failed: 0 },
    received: { ...none, failed: 0 },
    copies: 0,
    ...changes,
  }
}

const sender = site('sender', { incoming: some })
const receiver = site('receiver', { outgoing: some })
const both = site('both', { sent: { ...some, failed: 0 }, received: { ...some, failed: 0 } })

test('waysOf() tells who sends to whom; one that is only known is there to be sent to, unless it is paused', () => {
  expect(waysOf(sender)).toEqual({ sends: true, receives: false })
  expect(waysOf(receiver)).toEqual({ sends: false, receives: true })
  expect(waysOf(both)).toEqual({ sends: true, receives: true })
  expect(waysOf(site('new'))).toEqual({ sends: false, receives: true })
  expect(waysOf(site('off', { enabled: false }))).toEqual({ sends: false, receives: false })
})

test('layOutMap() puts who only sends at the left, and the others at the right', () => {
  const { here, sites } = layOutMap([receiver, sender, both])
  const x = (name: string) => sites.find(each => each.site.librarian_name === name)!.x
  expect(x('sender')).toBeLessThan(here.x)
  expect(x('receiver')).toBeGreaterThan(here.x + BOX.width)
  expect(x('both')).toBe(x('receiver'))
})

test('layOutMap() keeps all boxes inside and apart from each other, however many', () => {
  for (const count of [0, 1, 2, 7, 40]) {
    const { height, here, sites } = layOutMap(Array.from({ length: count }, (_, i) => site(`s${i}`)))
    const boxes = [here, ...sites]
    for (const { x, y } of boxes) {
      expect(x).toBeGreaterThanOrEqual(0)
      expect(x + BOX.width).toBeLessThanOrEqual(MAP_WIDTH)
      expect(y).toBeGreaterThanOrEqual(0)
      expect(y + BOX.height).toBeLessThanOrEqual(height)
    }
    for (const [index, a] of boxes.entries()) {
      for (const b of boxes.slice(index + 1)) {
        expect(Math.abs(a.x - b.x) >= BOX.width || Math.abs(a.y - b.y) >= BOX.height).toBe(true)
      }
    }
  }
})

test('shorten() cuts by characters, not in the middle of one', () => {
  expect(shorten('cerro-paranal')).toBe('cerro-paranal')
  expect(shorten('a-very-long-name-of-a-site')).toBe('a-very-long-n…')
  expect(shorten('🔭'.repeat(20))).toBe(`${'🔭'.repeat(13)}…`)
})
