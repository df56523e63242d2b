import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createResumeRecords, uploadStateDirectory } from './resume-records.ts'

let folder!: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'client-records-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const upload = { url: 'http://a:80', user: 'ada', destination: 'x/y', checksum: 'xxh3:::00', size: 3 }
const record = { destination: 'x/y', staged: { transfer_id: 7 } }

test('a record is found for the very same upload only, and by this user only', async () => {
  const records = createResumeRecords(join(folder, 'state'))
  expect(await records.find(upload)).toBeUndefined()
  await records.keep(upload, record)
  expect(await records.find(upload)).toEqual(record)
  for (const other of [{ url: 'http://b:80' }, { user: 'bob' }, { destination: 'x' }, { checksum: 'z' }, { size: 4 }]) {
    expect(await records.find({ ...upload, ...other })).toBeUndefined()
  }
  const [name] = await readdir(join(folder, 'state'))
  expect((await stat(join(folder, 'state', name!))).mode & 0o077).toBe(0)
  await records.forget(upload)
  expect(await readdir(join(folder, 'state'))).toEqual([])
})

test('a record that cannot be read counts as none', async () => {
  const records = createResumeRecords(folder)
  await records.keep(upload, record)
  const [name] = await readdir(folder)
  await writeFile(join(folder, name!), '{"version": 1, "destin')
  expect(await records.find(upload)).toBeUndefined()
})

test('uploadStateDirectory() is the user’s own', () => {
  expect(uploadStateDirectory({ HOME: '/home/ada' })).toBe('/home/ada/.local/state/arriero/uploads')
  expect(uploadStateDirectory({ HOME: '/home/ada', XDG_STATE_HOME: '/s' })).toBe('/s/arriero/uploads')
})
