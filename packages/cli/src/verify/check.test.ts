import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Engine, Progress, TransferError, type Verification } from '@arriero/transfer'
import { afterAll, describe, expect, test } from 'vitest'
import type { Candidate } from './candidates.ts'
import { checkAll, judge, type Verdict } from './check.ts'

const folder = mkdtempSync(join(tmpdir(), 'arriero-check-'))
afterAll(() => rmSync(folder, { recursive: true }))
const path = join(folder, 'file')
writeFileSync(path, 'content')

const expected = { algorithm: 'sha256', value: 'aa' } as const
const check = { ...expected, authority: 'caller', origin: '--checksum' } as const
const candidate: Candidate = { name: 'file', path, checksums: [expected] }
const proof = { size: 7, lengthVerified: true, proof: 'checksum', digests: {} } as const
const good: Verification = { ...proof, checks: [{ ...check, actual: 'aa', outcome: 'match' }] }

/** Runs with an engine that gives these answers, one after the other. */
async function run(candidate: Candidate, ...answers: (Verification | Error)[]): Promise<Verdict> {
  const verifyFile = async () => {
    const answer = answers.shift()
    if (answer instanceof Error || answer === undefined) throw answer
    return answer
  }
  const engine = {} as Engine
  const options = { engine, door: { verifyFile }, progress: new Progress(), signal: new AbortController().signal }
  for await (const verdict of checkAll(once(candidate), options)) return verdict
  throw new Error('no verdict')
}

async function* once(candidate: Candidate) {
  yield candidate
}

const mismatch = () => {
  return new TransferError('ChecksumMismatch', 'differs', { algorithm: 'sha256', expected: 'aa', actual: 'bb' })
}
const unreadable = () => new TransferError('Disk', 'Cannot read file: EIO')

describe('checkAll()', () => {
  test('says ok after one read', async () => {
    expect(await run(candidate, good)).toMatchObject({ state: 'ok', reads: 1 })
  })

  test('says mismatch only after a second read', async () => {
    const verdict = await run(candidate, mismatch(), mismatch())
    expect(verdict).toMatchObject({ state: 'mismatch', reads: 2, reason: 'sha256 must be aa, got bb' })
  })

  test('never says ok when two reads differ', async () => {
    expect(await run(candidate, mismatch(), good)).toMatchObject({ state: 'unreadable', reads: 2 })
  })

  test('tells unreadable from mismatch', async () => {
    expect(await run(candidate, unreadable(), unreadable())).toMatchObject({ state: 'unreadable', reads: 2 })
  })

  test('says missing, a wrong size, and nothing to compare with, without reading', async () => {
    expect(await run({ ...candidate, path: join(folder, 'gone') })).toMatchObject({ state: 'missing', reads: 0 })
    expect(await run({ ...candidate, size: 8 })).toMatchObject({ state: 'mismatch', reads: 0 })
    expect(await run({ ...candidate, checksums: [] })).toMatchObject({ state: 'unverifiable', reads: 0 })
    expect(await run({ ...candidate, path: folder })).toMatchObject({ state: 'unreadable', reads: 0 })
  })
})

test('judge() takes the worst of several comparisons', () => {
  const matched = { ...check, actual: 'aa', outcome: 'match' } as const
  const differs = { ...check, actual: 'bb', outcome: 'mismatch' } as const
  const open = { ...check, actual: undefined, outcome: 'unverifiable' } as const
  expect(judge({ ...good, checks: [matched, differs] }).state).toBe('mismatch')
  expect(judge({ ...good, checks: [matched, open] }).state).toBe('ok')
  expect(judge({ ...good, checks: [open] }).state).toBe('unverifiable')
  expect(judge({ ...good, checks: [] }).state).toBe('unverifiable')
})
