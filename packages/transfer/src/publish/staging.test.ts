import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Staging } from './staging.ts'

let directory: string
let staging: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arriero-staging-'))
  staging = join(directory, '.arriero')
})
afterEach(() => rm(directory, { recursive: true }))

/** The name that a staging of a process that is no more had given out. */
async function nameOfTheDead(): Promise<string> {
  const module = new URL('./staging.ts', import.meta.url).href
  const code = `const { Staging } = await import(${JSON.stringify(module)}); console.log(new Staging('/').next())`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.on('data', data => {
    text += data
  })
  await once(child, 'close')
  return basename(text.trim())
}

describe('Staging', () => {
  test('is a private directory, made once, and removed when nobody uses it', async () => {
    const one = new Staging(join(directory, 'new', 'root'))
    await one.prepare()
    expect(one.prepare()).toBeUndefined()
    expect((await stat(one.directory)).mode & 0o777).toBe(0o700)
    await one.close()
    expect(await readdir(join(directory, 'new', 'root'))).toEqual([])
    await one.close()
  })

  test('is not removed while somebody else has a file in it', async () => {
    const [one, other] = [new Staging(directory), new Staging(directory)]
    await Promise.all([one.prepare(), other.prepare()])
    await writeFile(other.next(), '')
    await one.close()
    expect(await readdir(staging)).toHaveLength(1)
  })

  test('is made ready however often others remove it meanwhile', async () => {
    const removing = async () => {
      for (let round = 0; round < 300; round++) {
        const other = new Staging(directory)
        await other.prepare()
        await other.close()
      }
    }
    await Promise.all([removing(), removing(), removing()])
    expect(await readdir(directory)).toEqual([])
  })

  test('a staging that was never used leaves no trace and removes none', async () => {
    await mkdir(staging)
    await new Staging(directory).close()
    expect(await readdir(directory)).toEqual(['.arriero'])
  })

  test('gives a name once, different from all others', () => {
    const [one, other] = [new Staging(directory), new Staging(directory)]
    const names = [...Array(2000).keys()].flatMap(() => [one.next(), other.next()])
    expect(new Set(names).size).toBe(4000)
  })

  test('sweeps what dead processes left and nothing else', async () => {
    await mkdir(staging)
    const dead = await nameOfTheDead()
    const [, ...rest] = dead.split('.')
    const elsewhere = [Buffer.from('other-host').toString('base64url'), ...rest].join('.')
    const alive = basename(new Staging(directory).next())
    const foreign = ['notes.txt', '.hidden', 'a.b.c.d.e', `${Buffer.from(hostname()).toString('base64url')}.x.y.z.0`]
    for (const name of [dead, elsewhere, alive, ...foreign]) await writeFile(join(staging, name), '')
    await new Staging(directory).prepare()
    expect((await readdir(staging)).toSorted()).toEqual([elsewhere, alive, ...foreign].toSorted())
  })

  test('sweeps what a process with a reused number left', async () => {
    await mkdir(staging)
    const mine = basename(new Staging(directory).next()).split('.')
    // This very process number, but started at another time.
    const old = [mine[0], mine[1], `${mine[2]}0`, mine[3], mine[4]].join('.')
    await writeFile(join(staging, old), '')
    await new Staging(directory).prepare()
    expect(await readdir(staging)).toEqual([])
  })

  test('says Disk where it cannot be made', async () => {
    await writeFile(join(directory, 'file'), '')
    await expect(new Staging(join(directory, 'file')).prepare()).rejects.toMatchObject({ code: 'Disk' })
    await writeFile(staging, '')
    await expect(new Staging(directory).prepare()).rejects.toMatchObject({ code: 'Disk' })
  })

  test.skipIf(process.getuid?.() === 0)('says Disk in a directory that may not be written', async () => {
    await chmod(directory, 0o500)
    await expect(new Staging(directory).prepare()).rejects.toMatchObject({ code: 'Disk' })
    await chmod(directory, 0o700)
  })
})
