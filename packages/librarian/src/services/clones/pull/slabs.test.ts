import { expect, test } from 'vitest'
import { Slabs } from './slabs.ts'

const MIB = 1 << 20

test('memory is given again when all of it was given back, and not before', () => {
  const slabs = new Slabs()
  const first = slabs.take(MIB)
  const second = slabs.take(MIB)
  expect(second.buffer).toBe(first.buffer)
  const third = slabs.take(10)
  expect(third.buffer).not.toBe(first.buffer)
  slabs.release(first)
  const more = slabs.take(2 * MIB)
  expect([first.buffer, third.buffer]).not.toContain(more.buffer)
  slabs.release(second)
  expect(slabs.take(2 * MIB).buffer).toBe(first.buffer)
})

test('no two files share bytes while both are held', () => {
  const slabs = new Slabs()
  const held: Uint8Array[] = []
  const marks = new Map<Uint8Array, number>()
  for (let n = 0; n < 2000; n++) {
    const bytes = slabs.take(1 + ((n * 7919) % 100_000))
    bytes.fill(n % 251)
    marks.set(bytes, n % 251)
    held.push(bytes)
    if (n % 3 === 0) {
      const [old] = held.splice((n * 31) % held.length, 1)
      const mark = marks.get(old!)
      expect(old!.every(byte => byte === mark)).toBe(true)
      slabs.release(old!)
    }
  }
  for (const bytes of held) {
    const mark = marks.get(bytes)
    expect(bytes.every(byte => byte === mark)).toBe(true)
  }
})

test('what is larger than a slab has memory of its own', () => {
  const slabs = new Slabs()
  const large = slabs.take(5 * MIB)
  expect(large.length).toBe(5 * MIB)
  slabs.release(large)
  expect(slabs.take(5 * MIB).buffer).not.toBe(large.buffer)
})
