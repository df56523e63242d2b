/** The traps of reliability 3 that are the engine's: what a downloader once took for a file. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { dataOf, namesIn, setUp, sha256 } from '../test/fault-matrix/setting.ts'
import { faults, startFaultServer } from '../test/fault-server.ts'
import { download } from './index.ts'

test('trap 12: a small file has its name only when all of its bytes have been compared', async () => {
  const { engine, path, directory } = await setUp()
  await using server = await startFaultServer()
  const url = server.resource('/small', { size: 100 }).url
  const wrong = sha256(dataOf(100, 1))
  await expect(download(url, path('small'), { engine, checksums: [wrong] })).rejects.toMatchObject({
    code: 'ChecksumMismatch',
  })
  expect(await namesIn(directory)).not.toContain('small')
  const cut = server.resource('/cut', { size: 100, script: faults.truncatesAtRandom(1, 7, 'fin') }).url
  await download(cut, path('cut'), { engine, retries: 1 }).catch(() => undefined)
  const kept = await readFile(join(directory, 'cut')).catch(() => undefined)
  if (kept) expect(kept.equals(dataOf(100))).toBe(true)
  await download(url, path('small'), { engine, checksums: [sha256(dataOf(100))] })
  expect((await readFile(path('small'))).equals(dataOf(100))).toBe(true)
})

test('trap 12: without a checksum a file is never called proven, and is refused where one is demanded', async () => {
  const { engine, path, directory } = await setUp()
  await using server = await startFaultServer()
  const url = server.resource('/bare', { size: 100 }).url
  await expect(download(url, path('bare'), { engine, requireChecksum: true })).rejects.toMatchObject({
    code: 'Unverifiable',
  })
  expect(await namesIn(directory)).not.toContain('bare')
  const { verification } = await download(url, path('bare'), { engine })
  expect(verification.proof).not.toBe('checksum')
})
