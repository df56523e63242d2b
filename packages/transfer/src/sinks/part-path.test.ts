import { basename } from 'node:path'
import { expect, test } from 'vitest'
import { partPathOf } from './part-path.ts'

test('NAME.part lies beside its target', () => {
  expect(partPathOf('/data/m31.fits')).toBe('/data/m31.fits.part')
  expect(partPathOf('/data/m31.fits', 'a1b2')).toBe('/data/m31.fits.a1b2.part')
})

test.each(['n', 'é', '€', '🔭'])('a long name of %s leaves room for every ending', letter => {
  for (let bytes = 200; bytes <= 255; bytes++) {
    const name = letter.repeat(Math.floor(bytes / Buffer.byteLength(letter)))
    const longest = `${partPathOf(`/data/${name}`, '0123456789ab')}.journal.new`
    expect(Buffer.byteLength(basename(longest))).toBeLessThanOrEqual(255)
    expect(longest).not.toContain('\uFFFD')
  }
})

test('two long names with one beginning are told apart', () => {
  const start = 'n'.repeat(250)
  expect(partPathOf(`/data/${start}1`)).not.toBe(partPathOf(`/data/${start}2`))
})
