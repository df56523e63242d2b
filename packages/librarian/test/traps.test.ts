/**
 * Traps found in the system that this one replaces (reliability 3), each as the whole server meets it now. Traps 1 and 2 are in
 * `rolling-deletion.test.ts`, 8 in `scrub.test.ts`, the half of 12 that is the engine's in `traps.test.ts` of the transfer
 * package, 5 also at every call of a commit in `commit-crash.test.ts`. That none of the twelve is without a test, the last one here says.
 */
import { randomBytes } from 'node:crypto'
import { existsSync, statSync } from 'node:fs'
import { chmod, glob, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as tick } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../src/clock.ts'
import { createFernet } from '../src/secrets/fernet.ts'
import { splitCredentials } from '../src/services/split-credentials.ts'
import { md5, openSite, put, type Site } from './attacks/site.ts'

let site: Site
beforeAll(async () => {
  site = await openSite()
})
afterAll(() => site[Symbol.asyncDispose]())

const fileOf = (name: string) => join(site.directory, 'files', name)

const validated = async (name: string) =>
  (await site.post('validate/file', { file_name: name }, { as: 'readonly' })).body

async function keepTree(name: string, members: Readonly<Record<string, string>>): Promise<void> {
  const digests = Object.values(members).map(content => md5(content).slice('md5:::'.length))
  const staged = await site.stage(name, '', {
    changes: {
      upload_size: Object.values(members).join('').length,
      upload_checksum: md5(digests.toSorted().join('')),
    },
  })
  for (const [path, content] of Object.entries(members)) await put(join(staged.body.staging_location, path), content)
  const { status, text } = await site.commit(staged)
  expect([status, text]).toEqual([200, ''])
}

test('trap 3: a bad copy is known as bad, and neither its bytes nor its rows go', async () => {
  await site.keep('three', 'good bytes')
  await chmod(fileOf('three'), 0o640)
  await writeFile(fileOf('three'), 'evil bytes')
  expect(await validated('three')).toMatchObject([{ computed_same_checksum: false, original_size: 10 }])
  expect(site.rows("SELECT file_name, replacement_requested FROM corrupt_file WHERE file_name = 'three'")).toEqual([
    { file_name: 'three', replacement_requested: 0 },
  ])
  expect(site.rows("SELECT name FROM file WHERE name = 'three'")).toHaveLength(1)
  expect(site.rows("SELECT path FROM instance WHERE file_name = 'three'")).toHaveLength(1)
  expect(await readFile(fileOf('three'), 'utf8')).toBe('evil bytes')
})

test('trap 3: the last copy is not deleted by asking for it, good or bad', async () => {
  const [{ id } = {}] = site.rows("SELECT id FROM instance WHERE file_name = 'three'")
  const { status } = await site.post('admin/instance/delete_local', { instance_id: id, delete_file: true })
  expect(status).toBeGreaterThanOrEqual(400)
  expect(existsSync(fileOf('three'))).toBe(true)
})

test('trap 4: of two writers of one name one wins, and its bytes and its row are of one piece', async () => {
  const contents = ['first', 'other']
  const staged = await Promise.all(
    contents.map((content, at) => site.stage('four', content, { as: ['readappend', 'other'][at]! })),
  )
  await Promise.all(contents.map((content, at) => put(staged[at]!.body.staging_location, content)))
  const done = await Promise.all(staged.map((one, at) => site.commit(one, ['readappend', 'other'][at]!)))
  expect(done.map(({ status }) => status).toSorted()).toEqual([200, 409])
  const winner = contents[done.findIndex(({ status }) => status === 200)]!
  expect(await readFile(fileOf('four'), 'utf8')).toBe(winner)
  expect(site.rows("SELECT checksum FROM file WHERE name = 'four'")).toEqual([{ checksum: md5(winner) }])
})

test('trap 5: bytes without a row do not block their name in silence: they are told, and stay', async () => {
  await writeFile(fileOf('five'), 'nobody knows')
  const answer = await site.keep('five', 'uploaded')
  expect([answer.status, answer.body.reason]).toEqual([409, 'File already exists on store.'])
  expect(await readFile(fileOf('five'), 'utf8')).toBe('nobody knows')
  expect(site.rows("SELECT * FROM intent WHERE file_name = 'five'")).toEqual([])
  // Once somebody has taken them away, the name is free.
  await rm(fileOf('five'))
  expect((await site.keep('five', 'uploaded')).status).toBe(200)
})

/** All that is seen under a name while something goes on. */
async function watch(name: string, work: Promise<unknown>): Promise<Set<string>> {
  const seen = new Set<string>()
  let isOver = false
  const ended = work.finally(() => (isOver = true))
  while (!isOver) {
    const met = statSync(fileOf(name), { throwIfNoEntry: false })
    if (met) seen.add(`${met.size} ${(met.mode & 0o7777).toString(8)}`)
    await tick()
  }
  await ended
  return seen
}

for (const options of [{}, { own_after_commit: true, readonly_after_commit: true }]) {
  test(`trap 6: a name is never seen before all of its bytes were checked, ${JSON.stringify(options)}`, async () => {
    await using owning = await openSite({ storeData: options })
    const was = site
    site = owning
    try {
      const content = 'x'.repeat(4_000_000)
      const wrong = await site.stage('six/wrong', content)
      await put(wrong.body.staging_location, content.replace(/x$/, 'y'))
      expect(await watch('six/wrong', site.commit(wrong))).toEqual(new Set())
      const right = await site.stage('six/right', content)
      await put(right.body.staging_location, content)
      const seen = await watch('six/right', site.commit(right))
      expect([...seen].every(met => met.startsWith('4000000 4'))).toBe(true)
      expect(statSync(fileOf('six/right')).mode & 0o222).toBe(0)
    } finally {
      site = was
    }
  })
}

test('trap 7: an uploader who still has the file open changes nothing that is kept', async () => {
  const staged = await site.stage('seven', 'as it was')
  await put(staged.body.staging_location, 'as it was')
  const held = await open(staged.body.staging_location, 'r+')
  try {
    expect((await site.commit(staged)).status).toBe(200)
    await held.write('CHANGED', 0)
    await held.sync()
  } finally {
    await held.close()
  }
  expect(await readFile(fileOf('seven'), 'utf8')).toBe('as it was')
  expect(await validated('seven')).toMatchObject([{ computed_same_checksum: true }])
})

test('trap 9: of the wire two trees are one, and of ours they are two: names count (quirk 29)', async () => {
  await keepTree('nine/a', { one: 'x', two: 'y' })
  await keepTree('nine/b', { one: 'y', two: 'x' })
  await keepTree('nine/c', { one: 'x', 'sub/two': 'y' })
  const rows = site.rows("SELECT checksum, sha256 FROM file WHERE name LIKE 'nine/%'")
  expect(new Set(rows.map(({ checksum }) => checksum)).size).toBe(1)
  expect(new Set(rows.map(({ sha256 }) => sha256)).size).toBe(3)
})

test('trap 9: an empty directory counts', async () => {
  await keepTree('nine/full', { one: 'x' })
  const staged = await site.stage('nine/empty', '', {
    changes: { upload_size: 1, upload_checksum: md5(md5('x').slice('md5:::'.length)) },
  })
  await put(join(staged.body.staging_location, 'one'), 'x')
  await put(join(staged.body.staging_location, 'void/gone'), '')
  await rm(join(staged.body.staging_location, 'void/gone'))
  expect((await site.commit(staged)).status).toBe(200)
  const digests = site
    .rows("SELECT sha256 FROM file WHERE name IN ('nine/full', 'nine/empty')")
    .map(({ sha256 }) => sha256)
  expect(new Set(digests).size).toBe(2)
})

/** Each leaves the sum of the wire as it is. */
for (const [what, change] of [
  [
    'two members that changed places',
    async (at: (path: string) => string) => {
      await rename(at('one'), at('three'))
      await rename(at('two'), at('one'))
      await rename(at('three'), at('two'))
    },
  ],
  ['a member that has another name', (at: (path: string) => string) => rename(at('one'), at('uno'))],
] as const) {
  test(`trap 9: ${what} in a kept tree is noticed`, async () => {
    const name = `nine/kept ${what.length}`
    await keepTree(name, { one: 'x', two: 'y' })
    expect(await validated(name)).toMatchObject([{ computed_same_checksum: true }])
    await chmod(fileOf(name), 0o750)
    await change(path => join(fileOf(name), path))
    const [copy] = await validated(name)
    expect([copy.computed_same_checksum, copy.current_checksum]).toEqual([false, copy.original_checksum])
  })
}

test('trap 10: equal content under two names, of two users, at once, is two files (quirk 14)', async () => {
  const names = ['ten/a', 'ten/b', 'ten/c']
  const users = ['readappend', 'readappend', 'other']
  const staged = await Promise.all(names.map((name, at) => site.stage(name, 'same', { as: users[at]! })))
  await Promise.all(staged.map(({ body }) => put(body.staging_location, 'same')))
  const done = await Promise.all(staged.map((one, at) => site.commit(one, users[at]!)))
  expect(done.map(({ status }) => status)).toEqual([200, 200, 200])
  expect(await readdir(fileOf('ten'))).toEqual(['a', 'b', 'c'])
})

test('trap 10: announcing the same again, by the same user at the same name, replaces the first', async () => {
  const first = await site.stage('ten/again', 'same')
  const second = await site.stage('ten/again', 'same')
  expect([second.status, second.body.transfer_id === first.body.transfer_id]).toEqual([201, false])
  await put(second.body.staging_location, 'same')
  expect((await site.commit(second)).status).toBe(200)
})

test('trap 12: without a checksum nothing is taken in silence; with leave, it is marked for ever', async () => {
  expect((await site.stage('twelve', 'x', { changes: { upload_checksum: '' } })).status).toBe(422)
  const metadata = (extra: string) => `name ${Buffer.from('twelve').toString('base64')}${extra}`
  const create = (extra: string) =>
    site.call('POST', '/api/v2/upload/bytes', {
      as: 'readappend',
      headers: {
        'tus-resumable': '1.0.0',
        'upload-length': '1',
        'upload-metadata': metadata(extra),
        'content-type': 'application/offset+octet-stream',
      },
      body: 'x',
    })
  expect((await create('')).status).toBe(400)
  expect((await create(`,unattested ${Buffer.from('true').toString('base64')}`)).status).toBe(201)
  expect(site.rows("SELECT is_attested FROM file WHERE name = 'twelve'")).toEqual([{ is_attested: 0 }])
  const { body } = await site.post('search/file', { name: 'twelve' }, { as: 'readonly' })
  expect(body[0]).toMatchObject({ is_attested: false })
})

test('trap 11: nobody learns by time or work whether a user exists: unknown ones cost the same hashing', async () => {
  await using dear = await openSite({ isDear: true })
  await dear.post('users/create', { username: 'known', password: 'of real cost', permission: 1 })
  /** Of hashing, which is nearly all of it; the least of three, since others use the machine. */
  const costOf = async (as: string) => {
    let least = Number.POSITIVE_INFINITY
    for (let at = 0; at < 3; at++) {
      const before = process.cpuUsage()
      const { status, body } = await dear.post('ping/logged', {}, { as, password: 'wrong' })
      expect([status, body]).toEqual([401, { detail: 'Incorrect username or password' }])
      const { user, system } = process.cpuUsage(before)
      least = Math.min(least, user + system)
    }
    return least
  }
  const [known, unknown] = [await costOf('known'), await costOf('unknown')]
  expect(unknown).toBeGreaterThan(known / 4)
  expect(known).toBeGreaterThan(unknown / 4)
})

test('trap 11: a password with colons is whole, of users and of what another librarian is told', async () => {
  const password = 'a:b:c and more'
  await site.post('users/create', { username: 'colons', password, permission: 1 })
  expect((await site.post('ping/logged', {}, { as: 'colons', password })).status).toBe(200)
  expect((await site.post('ping/logged', {}, { as: 'colons', password: 'a' })).status).toBe(401)
  // Its row for itself: the call back is made with what was stored.
  const peer = { librarian_name: 'itself', url: 'http://127.0.0.1', port: site.port, check_connection: true }
  const added = await site.post('admin/librarians/add', { ...peer, authenticator: `colons:${password}` })
  expect(added.body).toMatchObject({ success: true, ping_success: true })
  const connection = await connectAs('itself')
  expect(connection).toEqual({ user: 'colons', password })
})

async function connectAs(name: string): Promise<{ user: string; password: string }> {
  const { settings, catalogue } = site.librarian
  const fernet = createFernet(settings.encryptionKey!, { clock: systemClock, random: randomBytes })
  return splitCredentials(fernet.decrypt((await catalogue.peers.find({ name }))!.authenticator))
}

test('each of the twelve traps has a test that is called by its number', async () => {
  const named = new Set<number>()
  const root = join(import.meta.dirname, '../..')
  for await (const path of glob('*/{src,test}/**/*.test.ts', { cwd: root })) {
    const text = await readFile(join(root, path), 'utf8')
    for (const [, number] of text.matchAll(/\btest\(\s*['"`]trap (\d+): /g)) named.add(Number(number))
  }
  expect([...named].toSorted((one, other) => one - other)).toEqual(Array.from({ length: 12 }, (_, at) => at + 1))
})
