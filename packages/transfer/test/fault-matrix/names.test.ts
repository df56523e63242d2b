/** Fault matrix, retrieval 16 and 19; attack matrix, reliability 6: names that servers and lists choose. */
import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { download, downloadAll, type EntryResult, TransferError } from '../../src/index.ts'
import { faults, startFaultServer, startRecordingOrigin } from '../fault-server.ts'
import { expectFile, MIB, namesIn, ODD, type Setting, setUp } from './setting.ts'

const size = 1000

/** Downloads into an inner directory a file that the server names so; everything in the outer one is checked. */
async function named(disposition: string, name = '/from-url'): Promise<{ setting: Setting; names: string[] }> {
  const setting = await setUp()
  await using server = await startFaultServer()
  const latin1 = Buffer.from(disposition, 'utf8').toString('latin1')
  const { url } = server.resource(name, { size, headers: { 'Content-Disposition': latin1 } })
  await mkdir(setting.path('inner'))
  const { path } = await download(url, `${setting.path('inner')}/`, { engine: setting.engine })
  await setting.engine.close()
  await expectFile(path, size)
  const all = await namesIn(setting.directory)
  expect(all[0]).toBe('inner')
  expect(all.slice(1).every(one => one.startsWith('inner/'))).toBe(true)
  return { setting, names: all.slice(1).map(one => one.slice('inner/'.length)) }
}

test.each([
  ['attachment; filename="../../x"', 'x'],
  ['attachment; filename="..\\\\..\\\\x"', 'x'],
  ['attachment; filename="/etc/passwd"', 'passwd'],
  ['attachment; filename="C:\\\\x"', 'x'],
  ['attachment; filename="C:x"', 'x'],
  ['attachment; filename="con"', '_con'],
  ['attachment; filename="con.txt"', '_con.txt'],
  ['attachment; filename=".."', 'from-url'],
  ['attachment; filename="."', 'from-url'],
  ['attachment; filename=""', 'from-url'],
  ['attachment; filename=', 'from-url'],
  ['attachment; filename="a\tb.txt"', 'ab.txt'],
  ['attachment; filename="trailing. . "', 'trailing'],
  ['attachment; filename="\u202egnp.exe"', 'gnp.exe'],
  ["attachment; filename*=UTF-8''na%C3%AFve%20%E2%82%AC.fits", 'naïve €.fits'],
  ['attachment; filename="plain"; filename*=UTF-8\'\'%C3%A9toile', 'étoile'],
  ["attachment; filename*=UTF-8''..%2F..%2Fx", 'x'],
  ["attachment; filename*=UTF-8''%00%0Ax", 'x'],
  ['bar; filename="xyzy-1"; blah', 'xyzy-1'],
  ['foo; bar filename="asf"; blah', 'from-url'],
])('Content-Disposition: %s → the file is %s, in its directory', async (disposition, expected) => {
  expect((await named(disposition)).names).toEqual([expected])
})

test('a name of 300 bytes → cut to 255, the extension kept', async () => {
  const { names } = await named(`attachment; filename="${'n'.repeat(294)}.fits"`)
  expect(names).toEqual([`${'n'.repeat(250)}.fits`])
})

test('a name of 300 bytes in UTF-8 → cut between characters', async () => {
  const { names } = await named(`attachment; filename*=UTF-8''${'%C3%A9'.repeat(150)}.fits`)
  expect(names).toEqual([`${'é'.repeat(125)}.fits`])
})

test('a large file with a name of 255 bytes → its temporary names fit as well, and it resumes', async () => {
  const setting = await setUp()
  // Slow enough for the first parts to be on the disk when the last ones are asked for.
  await using server = await startFaultServer({ bytesPerSecond: 12 * MIB })
  const name = 'é'.repeat(127)
  const served = server.resource('/data', { size: ODD })
  const { engine } = setting
  let parts = 0
  const hooks = {
    onPart() {
      if (++parts > 8) throw new Error('enough')
    },
  }
  const options = { engine, partSize: MIB, concurrency: 1 }
  await expect(download(served.url, setting.path(name), { ...options, hooks })).rejects.toMatchObject({
    code: 'HookFailed',
  })
  const { resumedBytes } = await download(served.url, setting.path(name), options)
  expect(resumedBytes).toBeGreaterThan(0)
  await expectFile(setting.path(name), ODD)
  await engine.close()
  expect(await namesIn(setting.directory)).toEqual([name])
})

test.each([
  ['/a/%2e%2e%2fx', 'x'],
  ['/a/b%5Cc', 'c'],
  ['/a/n%C3%A4me', 'näme'],
  ['/a/', 'a'],
  ['/', 'download'],
  ['/con', '_con'],
])('the URL %s, no Content-Disposition → the file is %s', async (path, expected) => {
  const setting = await setUp()
  await using server = await startFaultServer()
  server.fallback({ size })
  const result = await download(server.origin + path, `${setting.directory}/`, { engine: setting.engine })
  expect(result.path).toBe(setting.path(expected))
  await setting.engine.close()
  expect(await namesIn(setting.directory)).toEqual([expected])
})

test('a redirect never chooses the name', async () => {
  const setting = await setUp()
  await using far = await startRecordingOrigin({ hostname: 'localhost', size })
  await using near = await startFaultServer()
  const { url } = near.resource('/wanted', { script: faults.redirects(far.url('/.bashrc')) })
  const { path } = await download(url, `${setting.directory}/`, { engine: setting.engine })
  expect(path).toBe(setting.path('wanted'))
})

test('a server never makes us write over a file that is there', async () => {
  const setting = await setUp()
  await using server = await startFaultServer()
  const headers = { 'Content-Disposition': 'attachment; filename="kept"' }
  const mine = server.resource('/mine', { size })
  const { url } = server.resource('/theirs', { size, version: 1, headers })
  const { engine } = setting
  await download(mine.url, setting.path('kept'), { engine })
  await expect(download(url, `${setting.directory}/`, { engine })).rejects.toMatchObject({ code: 'Exists' })
  await expectFile(setting.path('kept'), size)
})

test('two files of a list to which servers give one name → the second is an error, the first is untouched', async () => {
  const setting = await setUp()
  await using server = await startFaultServer()
  const headers = { 'Content-Disposition': 'attachment; filename="same"' }
  const urls = [0, 1, 2].map(version => server.resource(`/${version}`, { size, version, headers }).url)
  const items = await all(downloadAll(urls, { ...setting }))
  const good = items.filter(({ ok }) => ok)
  expect(good).toHaveLength(1)
  await expectFile(setting.path('same'), size, good[0]?.entry.index)
  await setting.engine.close()
  expect(await namesIn(setting.directory)).toEqual(['same'])
})

test.each(['../x', '/etc/x', 'a/../../x', 'C:\\x', 'a\\..\\x', 'a\0b', '~/x', 'a//b', './x/.'])(
  'a list that wants a file at %j → refused, and nothing is asked of the server',
  async path => {
    const setting = await setUp()
    await using server = await startFaultServer()
    server.fallback({ size })
    const entry = { index: 0, uris: [server.url('/data')], checksums: [], path }
    const [item] = await all(downloadAll([entry], { ...setting, directory: setting.path('inner') }))
    expect(item?.ok).toBe(false)
    expect(item && !item.ok && item.error).toMatchObject({ code: 'PathUnsafe' })
    expect(server.requests).toHaveLength(0)
    expect((await namesIn(setting.directory)).filter(name => name !== 'inner')).toEqual([])
  },
)

test('a list that leads through a symbolic link out of its directory → refused', async () => {
  const setting = await setUp()
  await using server = await startFaultServer()
  server.fallback({ size })
  await mkdir(setting.path('inner'))
  await mkdir(setting.path('outer'))
  await symlink(setting.path('outer'), setting.path('inner/link'))
  const entry = { index: 0, uris: [server.url('/data')], checksums: [], path: 'link/x' }
  const [item] = await all(downloadAll([entry], { ...setting, directory: setting.path('inner') }))
  expect(item && !item.ok && item.error).toBeInstanceOf(TransferError)
  expect(await namesIn(setting.path('outer'))).toEqual([])
})

test.each([
  ['the same target twice', 'a', 'a'],
  ['twins that differ by case alone', 'Data', 'data'],
  ['twins in Unicode normalisation', '\u00e9', 'e\u0301'],
  ['a file where another needs a directory', 'a', 'a/b'],
])('%s in one list → the second is refused', async (_, first, second) => {
  const setting = await setUp()
  await using server = await startFaultServer()
  server.fallback({ size })
  const entries = [first, second].map((path, index) => ({
    index,
    uris: [server.url(`/${index}`)],
    checksums: [],
    path,
  }))
  const items = await all(downloadAll(entries, { ...setting, directory: join(setting.directory, 'inner') }))
  expect(items.map(({ ok }) => ok).sort()).toEqual([false, true])
})

async function all(items: AsyncIterable<EntryResult>): Promise<EntryResult[]> {
  const list: EntryResult[] = []
  for await (const item of items) list.push(item)
  return list
}
