import { createHash } from 'node:crypto'
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { contentOf } from '../test/source-suite.ts'
import { createParts } from './engine.ts'
import { verifyFile } from './verify-file.ts'

const MIB = 1 << 20
let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arriero-verify-'))
})
afterAll(() => rm(directory, { recursive: true }))

const digest = (algorithm: string, content: Uint8Array) =>
  `${algorithm}:${createHash(algorithm).update(content).digest('hex')}`

async function file(content: Uint8Array): Promise<string> {
  const path = join(directory, 'file')
  await writeFile(path, content)
  return path
}

function engineOf(memoryBudget?: number) {
  const engine = createParts({ memoryBudget })
  onTestFinished(() => engine.close())
  return engine
}

describe('verifyFile()', () => {
  test.each([0, 1, 4 * MIB - 1, 4 * MIB, 9 * MIB + 5])(
    'proves a file of %s bytes by any of its digests',
    async size => {
      const content = contentOf(size)
      const path = await file(content)
      const engine = engineOf()
      for (const algorithm of ['md5', 'sha1', 'sha256', 'sha512']) {
        const { proof, checks } = await verifyFile(path, [digest(algorithm, content)], { engine })
        expect(proof).toBe('checksum')
        expect(checks).toMatchObject([{ algorithm, outcome: 'match', authority: 'caller' }])
      }
      expect(engine.slots.reserved).toBe(0)
    },
  )

  test('works within the smallest of budgets', async () => {
    const content = contentOf(3 * MIB)
    const engine = engineOf(64 * 1024)
    const { proof } = await verifyFile(await file(content), [digest('sha256', content)], { engine })
    expect(proof).toBe('checksum')
  })

  test('finds a single wrong bit, wherever it is', async () => {
    const content = contentOf(5 * MIB)
    const expected = [digest('sha256', content)]
    for (const at of [0, 4 * MIB - 1, 4 * MIB, 5 * MIB - 1]) {
      const damaged = Uint8Array.from(content)
      damaged[at]! ^= 1
      const engine = engineOf()
      await expect(verifyFile(await file(damaged), expected, { engine })).rejects.toMatchObject({
        code: 'ChecksumMismatch',
      })
      expect(engine.slots.reserved).toBe(0)
    }
  })

  test('holds it to the size that is stated', async () => {
    const content = contentOf(1000)
    const path = await file(content)
    await expect(verifyFile(path, [digest('md5', content)], { size: 1001 })).rejects.toMatchObject({
      code: 'SizeMismatch',
    })
    await expect(verifyFile(path, [], { size: 1000 })).resolves.toMatchObject({ proof: 'size' })
    await truncate(path, 999)
    await expect(verifyFile(path, [], { size: 1000 })).rejects.toMatchObject({ code: 'SizeMismatch' })
  })

  test('all stated digests must match', async () => {
    const content = contentOf(1000)
    const wrong = `md5:${'0'.repeat(32)}`
    await expect(verifyFile(await file(content), [digest('sha256', content), wrong])).rejects.toMatchObject({
      code: 'ChecksumMismatch',
      details: { algorithm: 'md5' },
    })
  })

  test('says NotFound, Disk or Usage for what cannot be verified', async () => {
    await expect(verifyFile(join(directory, 'none'), [])).rejects.toMatchObject({ code: 'NotFound' })
    await expect(verifyFile(directory, [])).rejects.toMatchObject({ code: 'Disk' })
    const path = await file(contentOf(1))
    await expect(verifyFile(path, ['md5:xyz'])).rejects.toMatchObject({ code: 'Usage' })
  })

  test('tells how far it is, and stops at the signal', async () => {
    const content = contentOf(9 * MIB)
    const path = await file(content)
    let read = 0
    await verifyFile(path, [digest('md5', content)], { onProgress: bytes => (read += bytes) })
    expect(read).toBe(content.length)
    const abort = new AbortController()
    const reason = new Error('enough')
    const engine = engineOf()
    const verifying = verifyFile(path, [digest('md5', content)], {
      engine,
      signal: abort.signal,
      onProgress: () => abort.abort(reason),
    })
    await expect(verifying).rejects.toBe(reason)
    expect(engine.slots.reserved).toBe(0)
  })
})
