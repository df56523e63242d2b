import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { Contender } from './contender.ts'
import { outputOf } from './peers.ts'
import { createScenario } from './scenario.ts'

const folder = mkdtempSync(join(tmpdir(), 'arriero-scenario-'))
afterAll(() => rmSync(folder, { recursive: true }))

const curl: Contender = { label: 'curl', program: 'curl', command: () => ({ argv: [] }) }
const own: Contender = { label: 'defaults', program: 'arriero', command: () => ({ argv: [] }) }

describe('createScenario()', () => {
  test('holds every run to the bytes of the first', async () => {
    const { check } = createScenario({ id: 'x', to: 'file', bytes: 3, sha256: undefined })
    writeFileSync(outputOf(folder), 'abc')
    expect(await check(folder, '', true, own)).toBeUndefined()
    expect(await check(folder, '', false, curl)).toBeUndefined()
    writeFileSync(outputOf(folder), 'abd')
    expect(await check(folder, '', false, curl)).toMatch(
      /^WRONG BYTES: their SHA-256 is a52d.*, that of the first run ba78/,
    )
    rmSync(outputOf(folder))
    expect(await check(folder, '', false, curl)).toMatch(/^WRONG BYTES: their SHA-256 is unknown/)
  })

  test('of what goes to no file, the first run proves the bytes and the others their number', async () => {
    const { check } = createScenario({ id: 'x', to: 'null', bytes: 3, sha256: 'ba78' })
    const report = (more: object) => JSON.stringify({ bytes: 3, peakConnections: 1, retries: 0, ...more })
    expect(await check(folder, report({ sha256: 'ba78' }), true, own)).toBeUndefined()
    expect(await check(folder, report({ sha256: 'a52d' }), true, own)).toMatch(/^WRONG BYTES/)
    expect(await check(folder, 'ba78', true, curl)).toBeUndefined()
    expect(await check(folder, report({}), false, own)).toBeUndefined()
    expect(await check(folder, report({ bytes: 2 }), false, own)).toBe('WRONG BYTES: 2 of them instead of 3')
  })
})
