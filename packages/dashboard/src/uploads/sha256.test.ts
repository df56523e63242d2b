import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { Sha256 } from './sha256.ts'

const real = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

test('Sha256 gives the known digests of nothing and of abc', () => {
  expect(new Sha256().hex()).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  expect(new Sha256().update(new TextEncoder().encode('abc')).hex()).toBe(
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  )
})

test('Sha256 agrees with the platform’s at every length around its blocks', () => {
  const bytes = Uint8Array.from({ length: 260 }, (_, index) => (index * 167) & 255)
  for (let length = 0; length <= bytes.length; length++) {
    const part = bytes.subarray(0, length)
    expect(new Sha256().update(part).hex()).toBe(real(part))
  }
})

test('Sha256 does not care how its input is cut', () => {
  const seed = Math.floor(Math.random() * 2 ** 31)
  let random = seed
  const next = (most: number) => {
    random = (random * 48_271) % 2_147_483_647
    return random % most
  }
  const bytes = Uint8Array.from({ length: 300_000 }, () => next(256))
  const hash = new Sha256()
  for (let at = 0; at < bytes.length; ) {
    const length = next(next(2) === 0 ? 130 : 20_000)
    hash.update(bytes.subarray(at, at + length))
    at += length
  }
  expect(hash.hex(), `seed ${seed}`).toBe(real(bytes))
})
