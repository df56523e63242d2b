import { hash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { type EntryShape, HashIndex } from './hash-index.ts'

const digest = (name: string) => hash('sha256', name, 'binary')

const shapes: EntryShape[] = [
  { keyBits: 57, numberBits: 0 },
  { keyBits: 65, numberBits: 48 },
  { keyBits: 97, numberBits: 32 },
]

describe('HashIndex', () => {
  test.each(shapes)('finds what was inserted, with its numbers and mark, and nothing else: %j', shape => {
    const index = new HashIndex(shape)
    // Past several pieces and growths, so that entries move between pieces.
    const count = 300_000
    for (let at = 0; at < count; at++) {
      if (index.seek(digest(`in ${at}`))) throw new Error(`found ${at} before it was inserted`)
      index.insert(at % 3 === 0, (at * 2_654_435_761) >>> 0, at & 0xffff)
      // What settles and what is still recent must both be found at once.
      if (!index.seek(digest(`in ${at}`)) || index.mark !== (at % 3 === 0)) throw new Error(`lost ${at}`)
    }
    expect(index.size).toBe(count)
    let wrong = 0
    for (let at = 0; at < count; at++) {
      if (!index.seek(digest(`in ${at}`)) || index.mark !== (at % 3 === 0)) wrong++
      else if (shape.numberBits > 0 && index.long !== (at * 2_654_435_761) >>> 0) wrong++
      else if (shape.numberBits === 48 && index.short !== (at & 0xffff)) wrong++
      if (at % 10 === 0 && index.seek(digest(`out ${at}`))) wrong++
    }
    expect(wrong).toBe(0)
  })

  test('tells digests apart by every bit of the key, and by no other', () => {
    const bytes = Buffer.from(digest('x'), 'latin1')
    const index = new HashIndex({ keyBits: 65, numberBits: 0 })
    index.seek(bytes.toString('latin1'))
    index.insert(false)
    let told = 0
    for (let bit = 0; bit < 256; bit++) {
      const other = Buffer.from(bytes)
      other[bit >> 3]! ^= 1 << (bit & 7)
      if (!index.seek(other.toString('latin1'))) told++
    }
    expect(told).toBe(65)
  })
})
