import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { displayWidth, jsonLine, printable, shorten, withoutSecrets, withoutSignatures } from './text.ts'

test('withoutSignatures() leaves out what a signed address says behind its path, and nothing else', () => {
  const signed = 'https://h/k.bin?user_id=1&X-Amz-Credential=***&X-Amz-Date=2026&X-Amz-Signature=***'
  expect(withoutSignatures(`Cannot fetch ${signed}: h answered 503 (see ${signed}).`)).toBe(
    'Cannot fetch https://h/k.bin?***: h answered 503 (see https://h/k.bin?***).',
  )
  const plain = 'Cannot fetch https://h/k.bin?part=1: is *** there? a=***'
  expect(withoutSignatures(plain)).toBe(plain)
  const started = performance.now()
  withoutSignatures('://a?'.repeat(20_000))
  expect(performance.now() - started).toBeLessThan(1000)
})

describe('printable()', () => {
  test('escapes what would move the cursor, colour or clear the screen', () => {
    expect(printable('a\u001b[2Jb')).toBe('a\\x1b[2Jb')
    expect(printable('a\u009b2Jb')).toBe('a\\x9b2Jb')
    expect(printable('two\nlines\r\t')).toBe('two\\nlines\\r\\t')
  })

  test('escapes the marks that turn a name round, so that txt.exe cannot look like exe.txt', () => {
    expect(printable('cod\u202egpj.exe')).toBe('cod\\u202egpj.exe')
  })

  test('leaves names of every script and emoji as they are', () => {
    const text = 'données-Δθ_海洋 🌊.nc'
    expect(printable(text)).toBe(text)
  })

  test('is idempotent and never leaves a control character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        const safe = printable(text)
        expect(safe).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/)
        expect(printable(safe)).toBe(safe)
      }),
    )
  })
})

describe('jsonLine()', () => {
  test('is one printable line that parses to the same value', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        const line = jsonLine({ text })
        expect(line).toBe(printable(line))
        expect(JSON.parse(line)).toEqual({
          text: text.toWellFormed() === text ? text : JSON.parse(JSON.stringify(text)),
        })
      }),
    )
  })
})

describe('shorten()', () => {
  test('cuts in the middle and keeps more of the end, where the files of a series differ', () => {
    expect(shorten('ocean-temperature-2026-11-20.nc', 15)).toBe('ocean…-11-20.nc')
    expect(shorten('short.nc', 15)).toBe('short.nc')
  })

  test('never needs more columns than it was given', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 0, max: 40 }), (text, width) => {
        expect(displayWidth(shorten(printable(text), width))).toBeLessThanOrEqual(width)
      }),
    )
  })
})

test('withoutSecrets() hides user, query and fragment of an argument', () => {
  expect(withoutSecrets('https://me:pw@host/a?sig=1#f')).toBe('https://***@host/a?***')
  expect(withoutSecrets('ocean.nc')).toBe('ocean.nc')
})
