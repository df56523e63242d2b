/** What an uploader can leave in the staging area, and what they can say of it (reliability 6). */
import { spawnSync } from 'node:child_process'
import { link, mkdir, open, readdir, readFile, rename, stat, symlink, writeFile } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { basic, passwordOf } from '../house.ts'
import { attack, expectGeneric, refuse } from './attack.ts'
import { type Answer, md5, openSite, put, type Site } from './site.ts'

let site: Site
beforeAll(async () => {
  site = await openSite()
})
afterAll(() => site[Symbol.asyncDispose]())

let count = 0

interface Staged {
  readonly answer: Answer
  /** Where the bytes are to be. */
  readonly path: string
  readonly name: string
}

async function stage(content: string, changes: object = {}): Promise<Staged> {
  const name = `staged/${count++}`
  const answer = await site.stage(name, content, { changes: { ...changes } })
  expect(answer.status).toBe(201)
  return { answer, path: answer.body.staging_location, name }
}

/** The transfer has ended, its staging is gone, no name and no row has come of it. */
async function expectNothingOf({ answer, name }: Staged): Promise<void> {
  const { transfer_id: id, staging_name: staging } = answer.body
  expect(site.rows(`SELECT status FROM incoming_transfer WHERE id = ${id}`)).toEqual([{ status: 'FAILED' }])
  expect(site.rows(`SELECT * FROM file WHERE name = '${name}'`)).toEqual([])
  expect(site.rows('SELECT * FROM intent')).toEqual([])
  expect(await readdir(join(site.directory, 'staging'))).not.toContain(staging)
  expect(await readdir(join(site.directory, 'files/.arriero/work'))).toEqual([])
  await expect(stat(join(site.directory, 'files', name))).rejects.toThrow()
}

const secretText = 'a secret of the server'

/** What lies there instead of a file. */
const odd: readonly [what: string, make: (path: string) => Promise<unknown>][] = [
  ['a link to a file of the server', path => symlink(join(site.directory, 'secret'), path)],
  ['a link to a device', path => symlink('/dev/zero', path)],
  ['a dangling link', path => symlink('/nowhere', path)],
  ['a link to itself', path => symlink(path, path)],
  ['a hard link to a file of the server', path => link(join(site.directory, 'secret'), path)],
  ['a pipe', async path => expect(spawnSync('mkfifo', [path]).status).toBe(0)],
  [
    'a socket',
    async path => {
      // A socket is made by a path of at most a hundred bytes.
      const short = join(site.directory, 's')
      await new Promise<void>(resolve => createServer().listen(short, resolve).unref())
      await rename(short, path)
    },
  ],
]

for (const [what, make] of odd) {
  attack('odd entries', `${what} in place of the upload is not taken`, async () => {
    await writeFile(join(site.directory, 'secret'), secretText)
    const staged = await stage(secretText)
    await make(staged.path)
    const answer = await site.commit(staged.answer)
    expect(answer.status).toBe(406)
    expectGeneric(site, answer)
    await expectNothingOf(staged)
  })

  attack('odd entries', `${what} deep in a tree spoils the tree, and is named`, async () => {
    await writeFile(join(site.directory, 'secret'), secretText)
    const staged = await stage(`good${secretText}`)
    await put(join(staged.path, 'deep/er/good'), 'good')
    await make(join(staged.path, 'deep/er/odd'))
    const answer = await site.commit(staged.answer)
    expect([answer.status, answer.body.reason]).toEqual([406, expect.stringContaining('deep/er/odd')])
    expectGeneric(site, answer)
    await expectNothingOf(staged)
  })
}

attack('odd entries', 'a link to a directory of the server is not entered', async () => {
  const staged = await stage(secretText)
  await symlink(site.directory, staged.path)
  expect((await site.commit(staged.answer)).status).toBe(406)
  await expectNothingOf(staged)
  // What the link leads to is untouched.
  expect(await readFile(join(site.directory, 'arriero.yaml'), 'utf8')).toContain('catalogue')
})

attack('odd entries', 'a device that never ends is refused without being read', async () => {
  const staged = await stage('x')
  if (spawnSync('mknod', [staged.path, 'c', '1', '5']).status !== 0) {
    console.log('NOT RUN a device in the staging area: making one needs root')
    return
  }
  expect((await site.commit(staged.answer)).status).toBe(406)
  await expectNothingOf(staged)
})

attack('odd entries', 'setuid and world-writable bits are not kept', async () => {
  const staged = await stage('x')
  await writeFile(staged.path, 'x')
  expect(spawnSync('chmod', ['6777', staged.path]).status).toBe(0)
  expect((await site.commit(staged.answer)).status).toBe(200)
  const { mode } = await stat(join(site.directory, 'files', staged.name))
  expect((mode & 0o7777).toString(8)).toBe('440')
})

attack('odd entries', 'modes within a tree are ours too', async () => {
  const staged = await stage('', { upload_size: 1, upload_checksum: await checksumOfTree('x') })
  await put(join(staged.path, 'sub/a'), 'x')
  expect(spawnSync('chmod', ['-R', '6777', staged.path]).status).toBe(0)
  expect((await site.commit(staged.answer)).status).toBe(200)
  const modeOf = async (path: string) => (await stat(join(site.directory, 'files', staged.name, path))).mode & 0o7777
  expect([await modeOf('.'), await modeOf('sub'), await modeOf('sub/a')]).toEqual([0o550, 0o550, 0o440])
})

/** Of the wire: over the sorted digests of the members, without their names (librarian 6.3). */
async function checksumOfTree(content: string): Promise<string> {
  return md5(md5(content).slice('md5:::'.length))
}

attack('odd entries', 'a sparse file of a terabyte is refused by its size, unread', async () => {
  const staged = await stage('x')
  const file = await open(staged.path, 'w')
  await file.truncate(2 ** 40)
  await file.close()
  const start = performance.now()
  expect((await site.commit(staged.answer)).status).toBe(406)
  expect(performance.now() - start).toBeLessThan(10_000)
  await expectNothingOf(staged)
})

attack('odd entries', 'a sparse file of a terabyte in a tree is refused by its size, unread', async () => {
  const staged = await stage('x')
  await mkdir(staged.path)
  const file = await open(join(staged.path, 'hole'), 'w')
  await file.truncate(2 ** 40)
  await file.close()
  expect((await site.commit(staged.answer)).status).toBe(406)
  await expectNothingOf(staged)
})

// ——— Raw names ———

for (const [what, bytes] of [
  ['is no UTF-8', [0x61, 0xff, 0x62]],
  ['ends in the middle of a character', [0x61, 0xc3]],
  ['holds a line’s end', [0x61, 0x0a, 0x62]],
  ['holds an escape', [0x1b, 0x5b, 0x31, 0x6d]],
] as const) {
  attack('raw names', `a member whose name ${what} spoils its tree`, async () => {
    const staged = await stage('x')
    await mkdir(staged.path)
    await writeFile(Buffer.concat([Buffer.from(`${staged.path}/`), Buffer.from(bytes)]), 'x')
    const answer = await site.commit(staged.answer)
    expect(answer.status).toBe(406)
    expect(answer.body.reason).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/)
    await expectNothingOf(staged)
  })
}

// ——— Directories that are swapped ———

attack('swapped directory', 'a staging directory that became a link leads nowhere', async () => {
  const elsewhere = join(site.directory, 'elsewhere')
  const staged = await stage(secretText)
  await put(join(elsewhere, staged.path.slice(staged.path.lastIndexOf('/') + 1)), secretText)
  await rename(dirname(staged.path), `${dirname(staged.path)}.was`)
  await symlink(elsewhere, dirname(staged.path))
  const answer = await site.commit(staged.answer)
  expect(answer.status).toBe(406)
  expect(site.rows(`SELECT * FROM file WHERE name = '${staged.name}'`)).toEqual([])
  // Removing what was staged followed the link no more than taking it did.
  expect(await readdir(elsewhere)).toHaveLength(1)
})

attack('swapped directory', 'a directory of the store that became a link takes no file', async () => {
  const elsewhere = join(site.directory, 'outside')
  await mkdir(elsewhere)
  await symlink(elsewhere, join(site.directory, 'files/lured'))
  const answer = await site.keep('lured/a', 'x')
  expect(answer.status).toBeGreaterThanOrEqual(400)
  expectGeneric(site, answer)
  expect(await readdir(elsewhere)).toEqual([])
  expect(site.rows("SELECT * FROM file WHERE name = 'lured/a'")).toEqual([])
})

attack('swapped directory', 'a kept directory that became a link gives nothing from behind it', async () => {
  expect((await site.keep('swap/a', 'kept')).status).toBe(200)
  await put(join(site.directory, 'behind/a'), secretText)
  await rename(join(site.directory, 'files/swap'), join(site.directory, 'files/swapped'))
  await symlink(join(site.directory, 'behind'), join(site.directory, 'files/swap'))
  const answer = await site.call('GET', '/api/v2/data/swap/a', { as: 'readonly' })
  expect(answer.status).toBeGreaterThanOrEqual(400)
  expect(answer.text).not.toContain(secretText)
  expectGeneric(site, answer)
})

// ——— Words and bytes ———

for (const size of [-1, -9_007_199_254_740_991]) {
  attack('body size', `a size of ${size} is refused`, async () => {
    await refuse(site, 400, () => site.stage('sized', 'x', { changes: { upload_size: size } }))
  })
}

for (const size of [1.5, '1e9', '', 'NaN', null, true, [1], {}]) {
  attack('body size', `a size of ${JSON.stringify(size)} is refused`, async () => {
    await refuse(site, 422, () => site.stage('sized', 'x', { changes: { upload_size: size } }))
  })
}

attack('body size', 'a size beyond the limit is refused', async () => {
  await refuse(site, 413, () => site.stage('sized', 'x', { changes: { upload_size: 50_000_000_001 } }))
})

for (const [what, checksum] of [
  ['none', ''],
  ['no digest', 'md5:::'],
  ['too short a digest', 'md5:::abc'],
  ['capital letters', md5('x').toUpperCase()],
  ['another function', `crc32:::${'0'.repeat(8)}`],
  ['a path', '../../etc/passwd'],
] as const) {
  attack('body size', `a checksum that is ${what} is refused: nothing is kept unattested by accident`, async () => {
    await refuse(site, 422, () => site.stage('summed', 'x', { changes: { upload_checksum: checksum } }))
  })
}

for (const [what, content] of [
  ['more', 'xy'],
  ['fewer', ''],
  ['other', 'y'],
] as const) {
  attack('body size', `${what} bytes than were announced are not kept`, async () => {
    const staged = await stage('x')
    await put(staged.path, content)
    expect((await site.commit(staged.answer)).status).toBe(406)
    await expectNothingOf(staged)
  })
}

for (const changes of [{ destination_location: 'another' }, { store_name: 'nowhere' }, { store_name: '../files' }]) {
  attack(
    'body size',
    `a commit that says otherwise than its announcement is refused: ${JSON.stringify(changes)}`,
    async () => {
      const staged = await stage('x')
      await put(staged.path, 'x')
      const answer = await site.commit(staged.answer, 'readappend', changes)
      expect(answer.status).toBeGreaterThanOrEqual(400)
      expect(answer.status).toBeLessThan(500)
      expect(site.rows(`SELECT * FROM file WHERE name = '${staged.name}'`)).toEqual([])
    },
  )
}

attack('body size', 'what the second request says of places is not believed: the row is what counts', async () => {
  await writeFile(join(site.directory, 'secret'), secretText)
  const staged = await stage('x')
  await put(staged.path, 'x')
  const lies = {
    staging_name: '..',
    staging_location: join(site.directory, 'secret'),
    upload_name: '../secret',
    uploader: 'admin',
    deletion_policy: 'DROP TABLE file',
  }
  expect((await site.commit(staged.answer, 'readappend', lies)).status).toBe(200)
  const rows = site.rows(`SELECT uploader, source, size FROM file WHERE name = '${staged.name}'`)
  expect(rows).toEqual([{ uploader: 'readappend', source: 'readappend', size: 1 }])
})

const tus = (extra: Readonly<Record<string, string>> = {}) => ({ 'tus-resumable': '1.0.0', ...extra })

async function addressOf(content: string): Promise<string> {
  const { body } = await site.stage(`bytes/${count++}`, content)
  return new URL(body.transfer_providers.http.url ?? body.transfer_providers.http.location, site.url).pathname
}

const octets = { 'content-type': 'application/offset+octet-stream' }

attack('body size', 'a body larger than declared: 413, and nothing of it counts', async () => {
  const path = await addressOf('12345')
  const headers = tus({ ...octets, 'upload-offset': '0' })
  await refuse(site, 413, () => site.call('PATCH', path, { as: 'readappend', headers, body: '123456' }))
  const { headers: told } = await site.call('HEAD', path, { as: 'readappend', headers: tus() })
  expect(told.get('upload-offset')).toBe('0')
})

attack('body size', 'chunks larger than declared: 413, and the offset stays within', async () => {
  const path = await addressOf('12345')
  const { statuses } = await site.raw(
    `PATCH ${path} HTTP/1.1\r\nhost: x\r\nauthorization: ${basic('readappend')}\r\ntus-resumable: 1.0.0\r\nupload-offset: 0\r\n` +
      'content-type: application/offset+octet-stream\r\ntransfer-encoding: chunked\r\n\r\n' +
      `6\r\n123456\r\n0\r\n\r\n`,
  )
  expect(statuses).toEqual([413])
  const { headers } = await site.call('HEAD', path, { as: 'readappend', headers: tus() })
  expect(Number(headers.get('upload-offset'))).toBeLessThanOrEqual(5)
})

for (const offset of ['1', '5', '99999', '-1', '0x0', '00000000000000000000', '9007199254740993', '']) {
  attack('body size', `an offset of "${offset}" is refused, and the stored one stays`, async () => {
    const path = await addressOf('12345')
    const headers = tus({ ...octets, 'upload-offset': offset })
    const answer = await site.call('PATCH', path, { as: 'readappend', headers, body: '1' })
    expect([400, 409, 413]).toContain(answer.status)
    expectGeneric(site, answer)
    const { headers: told } = await site.call('HEAD', path, { as: 'readappend', headers: tus() })
    expect(told.get('upload-offset')).toBe('0')
  })
}

for (const length of ['-1', '1.5', 'x', '9007199254740993', '50000000001', '']) {
  attack('body size', `a tus upload of length "${length}" is not created`, async () => {
    const metadata = `name ${Buffer.from('by-tus').toString('base64')},unattested ${Buffer.from('true').toString('base64')}`
    const before = await site.holdings()
    const headers = tus({ 'upload-length': length, 'upload-metadata': metadata })
    const answer = await site.call('POST', '/api/v2/upload/bytes', { as: 'readappend', headers })
    expect([400, 413]).toContain(answer.status)
    expect(await site.holdings()).toBe(before)
  })
}

/** All bytes of an upload in a piece that has not ended. Resolves when they are in the store. */
async function openPiece(content: string, { url }: { url: string }, headers: string): Promise<Socket> {
  const socket = connect(site.port, '127.0.0.1')
  socket.on('error', () => {})
  const as = `authorization: ${basic('readappend', passwordOf('readappend'))}\r\ntus-resumable: 1.0.0\r\n${headers}`
  const type = 'content-type: application/offset+octet-stream\r\nupload-offset: 0\r\ntransfer-encoding: chunked'
  socket.write(`PATCH ${url} HTTP/1.1\r\nhost: h\r\n${as}${type}\r\n\r\n`)
  socket.write(`${content.length.toString(16)}\r\n${content}\r\n`)
  const path = join(site.directory, 'files/.arriero/spool', url.slice(url.lastIndexOf('/') + 1))
  const sizeNow = () =>
    stat(path).then(
      ({ size }) => size,
      () => 0,
    )
  await expect.poll(sizeNow, { timeout: 10_000 }).toBe(content.length)
  return socket
}

attack('body size', 'a piece that ends badly after the commit takes nothing back from what is kept', async () => {
  const content = 'x'.repeat(4 << 20)
  for (const [digest, status] of [
    [`upload-checksum: md5 ${Buffer.alloc(16).toString('base64')}\r\n`, 406],
    ['', 200],
  ] as const) {
    const staged = await stage(content)
    const socket = await openPiece(content, staged.answer.body.transfer_providers.http, digest)
    const answer = await site.commit(staged.answer, 'readappend', {
      transfer_provider_name: 'http',
      transfer_provider: { hostnames: [] },
    })
    expect([answer.status, answer.text]).toEqual([status, answer.text])
    socket.end('0\r\n\r\n')
    await expect.poll(() => socket.closed, { timeout: 10_000 }).toBe(true)
    if (status === 406) await expectNothingOf(staged)
    else expect(await readFile(join(site.directory, 'files', staged.name), 'utf8')).toBe(content)
  }
})

attack('body size', 'room is given to nobody twice, and comes back when an upload ends', async () => {
  const { body: before } = await site.stage(`room/${count++}`, 'x')
  const large = 10_000_000
  const { body: one } = await site.stage(`room/${count++}`, 'x', { changes: { upload_size: large } })
  expect(before.available_bytes_on_store - one.available_bytes_on_store).toBeGreaterThanOrEqual(large / 2)
  await site.post('upload/abort', { transfer_id: one.transfer_id }, { as: 'readappend' })
  const { body: after } = await site.stage(`room/${count++}`, 'x')
  expect(after.available_bytes_on_store).toBeGreaterThan(one.available_bytes_on_store)
})

// ——— Others’ uploads ———

attack(
  'guessing',
  'a transfer of another user is committed by nobody else, not by an administrator either',
  async () => {
    const staged = await stage('x')
    await put(staged.path, 'x')
    for (const as of ['other', 'admin']) await refuse(site, 401, () => site.commit(staged.answer, as))
    expect((await site.commit(staged.answer)).status).toBe(200)
  },
)

attack('guessing', 'in a batch of commits another’s transfer is as one that is none', async () => {
  const { answer } = await stage('x')
  const commits = [{ transfer_id: answer.body.transfer_id as number }, { transfer_id: 999_999 }]
  const { body } = await refuse(site, 200, () => site.post('upload/batch_commit', { commits }, { as: 'other' }))
  const [theirs, none] = body.outcomes
  expect({ ...theirs, transfer_id: 0, reason: theirs.reason.replace(/\d+/, 'N') }).toEqual({
    ...none,
    transfer_id: 0,
    reason: none.reason.replace(/\d+/, 'N'),
  })
  expect(none).toMatchObject({ status: 404, code: 'NotFound' })
})

for (const path of ['upload/abort', 'transfers/get']) {
  attack('guessing', `${path}: another’s transfer and one that is none are one and the same answer`, async () => {
    const { answer } = await stage('x')
    const id = answer.body.transfer_id as number
    const theirs = await refuse(site, 404, () => site.post(path, { transfer_id: id }, { as: 'other' }))
    const none = await refuse(site, 404, () => site.post(path, { transfer_id: 999_999 }, { as: 'other' }))
    expect(theirs.text.replaceAll(String(id), 'N')).toBe(none.text.replaceAll('999999', 'N'))
  })
}

attack('guessing', 'a list shows nobody the transfers of others, whatever is asked for', async () => {
  await stage('x')
  for (const question of [{}, { source: 'readappend' }, { uploader: 'readappend' }, { source: null }]) {
    const { body } = await site.post('transfers/list', question, { as: 'other' })
    expect(body.transfers).toEqual([])
  }
})

attack('guessing', 'addresses of bytes are 128 random bits, and another’s is as none', async () => {
  const one = await addressOf('12345')
  const two = await addressOf('12345')
  expect(one).toMatch(/\/[0-9a-f]{32}$/)
  expect(one.slice(0, -24)).not.toBe(two.slice(0, -24))
  for (const method of ['HEAD', 'DELETE']) {
    const theirs = await site.call(method, one, { as: 'other', headers: tus() })
    const none = await site.call(method, one.replace(/.{32}$/, '0'.repeat(32)), { as: 'other', headers: tus() })
    expect([theirs.status, theirs.text.replace(/[0-9a-f]{32}/, '0'.repeat(32))]).toEqual([404, none.text])
  }
  expect((await site.call('HEAD', one, { as: 'readappend', headers: tus() })).status).toBe(200)
})

test('an upload of another user at the same name neither ends the first nor shows it', async () => {
  const name = `shared/${count++}`
  const first = await site.stage(name, 'x')
  const second = await site.stage(name, 'y', { as: 'other' })
  expect([first.status, second.status]).toEqual([201, 201])
  await put(first.body.staging_location, 'x')
  expect((await site.commit(first)).status).toBe(200)
  await put(second.body.staging_location, 'y')
  expect((await site.commit(second, 'other')).status).toBe(409)
  expect((await site.call('GET', `/api/v2/data/${name}`, { as: 'readonly' })).text).toBe('x')
})
