import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ExistingNames, unknownNames } from './existing-names.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arriero-names-'))
})
afterAll(() => rm(directory, { recursive: true }))

describe('ExistingNames', () => {
  test('says "look" before the directory was looked at, and "surely not" only for what was not there', async () => {
    await writeFile(join(directory, 'there'), '')
    const names = new ExistingNames()
    expect(names.mayExist(join(directory, 'absent'))).toBe(true)
    await names.look(join(directory, 'absent'))
    expect(names.mayExist(join(directory, 'there'))).toBe(true)
    expect(names.mayExist(join(directory, 'absent'))).toBe(false)
    expect(names.mayExist(join(directory, 'elsewhere', 'absent'))).toBe(true)
  })

  test('lists a directory once, also for those who ask meanwhile', async () => {
    const names = new ExistingNames()
    const first = names.look(join(directory, 'a'))
    expect(names.look(join(directory, 'b'))).toBe(first)
    await first
    expect(names.look(join(directory, 'c'))).toBeUndefined()
  })

  test('knows what we made ourselves', async () => {
    const names = new ExistingNames()
    await names.look(join(directory, 'made'))
    expect(names.mayExist(join(directory, 'made'))).toBe(false)
    names.note(join(directory, 'made'))
    expect(names.mayExist(join(directory, 'made'))).toBe(true)
  })

  test('a directory that is not there has no names, and one that cannot be listed has all', async () => {
    const names = new ExistingNames()
    await names.look(join(directory, 'missing', 'x'))
    expect(names.mayExist(join(directory, 'missing', 'x'))).toBe(false)
    await writeFile(join(directory, 'file'), '')
    await names.look(join(directory, 'file', 'x'))
    expect(names.mayExist(join(directory, 'file', 'x'))).toBe(true)
  })

  test('sees names of every kind: directories, dots, and letters of any alphabet', async () => {
    for (const name of ['.hidden', 'directory', 'ünïcödé', 'with space'])
      await mkdir(join(directory, 'kinds', name), { recursive: true })
    const names = new ExistingNames()
    await names.look(join(directory, 'kinds', 'x'))
    for (const name of ['.hidden', 'directory', 'ünïcödé', 'with space']) {
      expect(names.mayExist(join(directory, 'kinds', name))).toBe(true)
    }
  })
})

test('unknownNames always says "look"', () => {
  unknownNames.note('/a')
  expect(unknownNames.look('/a')).toBeUndefined()
  expect(unknownNames.mayExist('/a')).toBe(true)
})
