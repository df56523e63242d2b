import { execFileSync } from 'node:child_process'
import { constants } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openOrdinary } from './ordinary-file.ts'

const { O_RDONLY, O_RDWR, O_CREAT } = constants

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arriero-ordinary-'))
})
afterEach(() => rm(directory, { recursive: true }))

const oddities = {
  'a FIFO': (path: string) => execFileSync('mkfifo', [path]),
  'a directory': (path: string) => mkdir(path),
  'a link to a file': async (path: string) => {
    await writeFile(`${path}.far`, 'somebody’s')
    await symlink(`${path}.far`, path)
  },
  'a link to a device': (path: string) => symlink('/dev/zero', path),
}

describe.skipIf(process.platform === 'win32')('openOrdinary()', () => {
  for (const [what, make] of Object.entries(oddities)) {
    test.each([O_RDONLY, O_RDWR | O_CREAT])(`refuses ${what} at once (flags %i)`, async flags => {
      const path = join(directory, 'x')
      await make(path)
      await expect(openOrdinary(path, flags)).rejects.toMatchObject({
        code: 'Disk',
        message: `Cannot use ${path}: it must be an ordinary file`,
      })
    })
  }

  test('opens and makes files as asked, and passes other failures on', async () => {
    const path = join(directory, 'x')
    await expect(openOrdinary(path, O_RDONLY)).rejects.toMatchObject({ code: 'ENOENT' })
    const handle = await openOrdinary(path, O_RDWR | O_CREAT)
    await handle.writeFile('ours')
    await handle.close()
    expect(await readFile(path, 'utf8')).toBe('ours')
  })
})
