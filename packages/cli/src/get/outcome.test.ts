import { describe, expect, test } from 'vitest'
import type { DownloadResult } from '../engine.ts'
import { doneLine, proofOf, resultRow } from './outcome.ts'

const check = { algorithm: 'sha256', value: 'aa', actual: 'aa', authority: 'caller', origin: '--checksum' } as const

const result: DownloadResult = {
  uri: 'http://h/a',
  path: '/d/a',
  bytes: 13_631_489,
  status: 'downloaded',
  isRepaired: false,
  resumedBytes: 0,
  networkBytes: 13_631_489,
  isDurable: true,
  resource: { size: 13_631_489, ranges: 'yes', checksums: [], resolvedUrl: 'http://h/a?sig=hunter2', lastModified: 0 },
  verification: {
    size: 13_631_489,
    lengthVerified: true,
    checks: [{ ...check, outcome: 'match' }],
    proof: 'checksum',
    digests: {},
  },
  timings: { firstByteMs: 1, fetchMs: 400, verifyMs: 5, publishMs: 5, totalMs: 410, hooksMs: 0 },
  retries: 0,
}

describe('doneLine()', () => {
  test('says name, size, time, rate and how it was verified', () => {
    expect(doneLine(result, 'a')).toBe('a  13.0 MiB in 0.41 s (31.7 MiB/s), sha256 ok (caller)')
  })

  test('says what came from an earlier run, and what is not durable', () => {
    const line = doneLine({ ...result, resumedBytes: 2 ** 20, isDurable: false }, 'a\u001b')
    expect(line).toMatch(/^a\\x1b {2}.*1\.00 MiB of it from an earlier run, not yet durable$/)
  })
})

test('doneLine() says that another file was replaced', () => {
  expect(doneLine({ ...result, isRepaired: true }, 'a')).toMatch(/, replaces another file that was there$/)
})

describe('proofOf()', () => {
  const { verification } = result

  test('never calls a size a proof of the content', () => {
    expect(proofOf({ ...verification, checks: [], proof: 'size' })).toBe('size only')
    expect(proofOf({ ...verification, checks: [], proof: 'none' })).toMatch(/NOT verified/)
  })

  test('shows that a checksum could not be verified', () => {
    const open = { ...check, actual: undefined, outcome: 'unverifiable' } as const
    expect(proofOf({ ...verification, checks: [open], proof: 'size' })).toBe('size only: sha256 could not be verified')
  })
})

test('resultRow() leaves out the address that may carry a signature, and writes times as ISO 8601', () => {
  const row = JSON.stringify(resultRow(result))
  expect(row).not.toContain('hunter2')
  expect(row).toContain('1970-01-01T00:00:00.000Z')
})
