import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { copyLocally, isLocallyVisible } from './copy-locally.ts'
import { readItem } from './local-item.ts'

let folder!: string
const signal = new AbortController().signal

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'client-copy-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const modeOf = async (path: string) => (await stat(path)).mode & 0o777

describe('isLocallyVisible()', () => {
  test('needs the host’s name and the directory that the server has made', async () => {
    const location = join(folder, 'uuid', 'f')
    expect(await isLocallyVisible([hostname()], location)).toBe(false)
    await mkdir(join(folder, 'uuid'))
    expect(await isLocallyVisible([hostname()], location)).toBe(true)
    expect(await isLocallyVisible([`not-${hostname()}`], location)).toBe(false)
    await writeFile(join(folder, 'file'), '')
    expect(await isLocallyVisible([hostname()], join(folder, 'file', 'f'))).toBe(false)
  })
})

describe('copyLocally()', () => {
  test('leaves a tree that others of the group can read and remove, whatever its modes were', async () => {
    await mkdir(join(folder, 't', 'sub', 'empty'), { recursive: true })
    await writeFile(join(folder, 't', 'sub', 'b'), 'bytes')
    await writeFile(join(folder, 't', 'none'), '')
    await chmod(join(folder, 't', 'sub', 'b'), 0o400)
    await chmod(join(folder, 't', 'sub'), 0o700)
    await mkdir(join(folder, 'staging'))
    const item = await readItem(join(folder, 't'))
    let copied = 0
    const location = join(folder, 'staging', 'named')
    await copyLocally(item, location, { signal, onBytes: n => (copied += n) })
    expect(await readFile(join(location, 'sub', 'b'), 'utf8')).toBe('bytes')
    expect(await modeOf(location)).toBe(0o775)
    expect(await modeOf(join(location, 'sub', 'empty'))).toBe(0o775)
    expect(await modeOf(join(location, 'sub', 'b'))).toBe(0o664)
    expect(copied).toBe(5)
  })

  test('begins anew where an earlier attempt was killed', async () => {
    await writeFile(join(folder, 'f'), 'whole')
    await mkdir(join(folder, 'staging'))
    await writeFile(join(folder, 'staging', 'f'), 'who')
    await copyLocally(await readItem(join(folder, 'f')), join(folder, 'staging', 'f'), { signal, onBytes: () => {} })
    expect(await readFile(join(folder, 'staging', 'f'), 'utf8')).toBe('whole')
  })

  test('refuses a file that changed since it was looked at', async () => {
    await writeFile(join(folder, 'f'), 'whole')
    const item = await readItem(join(folder, 'f'))
    await writeFile(join(folder, 'f'), 'other')
    const copying = copyLocally(item, join(folder, 'copy'), { signal, onBytes: () => {} })
    await expect(copying).rejects.toMatchObject({ code: 'ResourceChanged' })
  })

  test('says where it may not write', async () => {
    await writeFile(join(folder, 'f'), 'whole')
    const item = await readItem(join(folder, 'f'))
    const copying = copyLocally(item, join(folder, 'absent', 'f'), { signal, onBytes: () => {} })
    await expect(copying).rejects.toThrow(/staging location/)
  })
})
