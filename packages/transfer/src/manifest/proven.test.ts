import { execFileSync } from 'node:child_process'
import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Proven, type ProvenFile } from './proven.ts'

let path: string
beforeEach(async () => {
  path = join(await mkdtemp(join(tmpdir(), 'arriero-proven-')), 'deep', 'proven')
})
afterEach(() => rm(join(path, '../..'), { recursive: true }))

const file: ProvenFile = { path: 'a', size: 1, mtimeNs: 2n, ctimeNs: 3n, inode: 4n, digest: 'md5:ab' }

describe('Proven', () => {
  test('knows in the next run what was proven in this one, and only as long as nothing of it differs', async () => {
    const first = await Proven.open(path)
    expect(first.isNew).toBe(true)
    first.add(file)
    await first.close()
    const next = await Proven.open(path)
    expect(next.isNew).toBe(false)
    expect(next.has({ ...file })).toBe(true)
    for (const other of [
      { path: 'b' },
      { size: 2 },
      { mtimeNs: 0n },
      { ctimeNs: 0n },
      { inode: 0n },
      { digest: 'md5:cd' },
    ]) {
      expect(next.has({ ...file, ...other })).toBe(false)
    }
    await next.close()
  })

  test('a torn last record is cut off, and those behind it are read', async () => {
    const first = await Proven.open(path)
    first.add(file)
    await first.close()
    await appendFile(path, 'torn')
    const second = await Proven.open(path)
    second.add({ ...file, path: 'b' })
    await second.close()
    expect(await readFile(path)).toHaveLength(24)
    const third = await Proven.open(path)
    expect(third.has(file) && third.has({ ...file, path: 'b' })).toBe(true)
    await third.close()
  })

  test.skipIf(process.platform === 'win32')('a FIFO in its place is an error, not a wait', async () => {
    execFileSync('mkdir', ['-p', join(path, '..')])
    execFileSync('mkfifo', [path])
    await expect(Proven.open(path)).rejects.toMatchObject({ code: 'Disk', details: { file: path } })
  })
})
