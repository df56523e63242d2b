/** Names from outside (reliability 6, first rows): refused as they are, never cleaned up. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { basic } from '../house.ts'
import { attack, refuse, shown } from './attack.ts'
import { announcementOf, openSite, put, type Site } from './site.ts'

let site: Site
beforeAll(async () => {
  site = await openSite()
})
afterAll(() => site[Symbol.asyncDispose]())

/** No name of any file, at any door. */
const bad: readonly string[] = [
  '..',
  '../up',
  'a/../b',
  'a/..',
  '../../../../etc/passwd',
  '/etc/passwd',
  '~',
  '~root/a',
  'a\\b',
  '..\\up',
  'C:/a',
  'c:a',
  'a\0b',
  'a\nb',
  'a\rb',
  'a\tb',
  'a\u001b[31mb',
  'a\u007fb',
  'a\u0085b',
  'a\u2028b',
  'a\u202egpj.exe',
  'a\u2066b',
  'a\u200fb',
  'a.',
  'a ',
  'a./b',
  'a /b',
  'CON',
  'nul.txt',
  'a/com1',
  'LPT9.dat',
  'aux/b',
  'cafe\u0301',
  '\u212b',
  `${'x'.repeat(256)}`,
  `${'é'.repeat(128)}`,
  `${'a/'.repeat(128)}b`,
  '.arriero',
  '.arriero/marker.json',
  '.ARRIERO/work/x',
]

for (const name of bad) {
  attack('names', `${shown(name)} is no destination`, async () => {
    const { body } = await refuse(site, 400, () =>
      site.post('upload/stage', { ...announcementOf('good', 'x'), destination_location: name }, { as: 'readappend' }),
    )
    expect(body).toMatchObject({ code: 'BadName', reason: expect.stringContaining('name') })
    // What is repeated of it acts on no terminal.
    expect(body.reason).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/)
  })
}

attack('names', 'a lone surrogate is no text at all', async () => {
  const body = JSON.stringify({ ...announcementOf('good', 'x'), destination_location: 'NAME' }).replace(
    'NAME',
    'a\\ud800',
  )
  await refuse(site, 422, () => site.post('upload/stage', body, { as: 'readappend' }))
})

/** Each of these would end up elsewhere, or be another’s: the name that is staged is one part (librarian Q20). */
for (const name of ['a/b', '../a', '..', '/etc/passwd', '~', 'a\0b', 'a\\b', '.', '']) {
  attack('names', `quirk 20: ${shown(name)} is no upload_name`, async () => {
    await refuse(site, 400, () =>
      site.post('upload/stage', { ...announcementOf('good', 'x'), upload_name: name }, { as: 'readappend' }),
    )
  })
}

attack('names', 'all of them in one batch are refused one by one, and nothing is announced', async () => {
  const uploads = bad.map(name => ({ ...announcementOf('good', 'x'), destination_location: name }))
  const { body } = await refuse(site, 200, () =>
    site.post('upload/batch_stage', { uploader: 'readappend', uploads }, { as: 'readappend' }),
  )
  const refused = { success: false, status: 400, code: 'BadName' }
  expect(body.outcomes).toEqual(bad.map(() => expect.objectContaining(refused)))
})

for (const name of ['../up', '/etc/passwd', 'a\nb', 'a\u202eb', 'C:/a', 'CON', 'cafe\u0301', 'a/../b', '.arriero/x']) {
  attack('names', `${shown(name)} creates no upload by tus`, async () => {
    const metadata = `name ${Buffer.from(name).toString('base64')},unattested ${Buffer.from('true').toString('base64')}`
    await refuse(site, 400, () =>
      site.call('POST', '/api/v2/upload/bytes', {
        as: 'readappend',
        headers: { 'tus-resumable': '1.0.0', 'upload-length': '1', 'upload-metadata': metadata },
      }),
    )
  })
}

/** The address itself is an attack: these must be answered like names that are not there, whatever they decode to. */
for (const path of [
  '..%2f..%2fcatalogue.db',
  '%2e%2e/%2e%2e/catalogue.db',
  '%2e%2e%2f%2e%2e%2fcatalogue.db',
  '..%5c..%5ccatalogue.db',
  '%252e%252e%252fcatalogue.db',
  '..%c0%afcatalogue.db',
  '%c0%ae%c0%ae/catalogue.db',
  '%2fetc%2fpasswd',
  'a%00b',
  'a//b',
  '.arriero/marker.json',
  '.arriero%2fmarker.json',
  '%2earriero/marker.json',
  '%zz',
  '%ff',
]) {
  attack('names', `GET data/${path} finds nothing`, async () => {
    const { text } = await site.raw(
      `GET /api/v2/data/${path} HTTP/1.1\r\nhost: x\r\nauthorization: ${basic('readonly')}\r\nconnection: close\r\n\r\n`,
    )
    expect(text).toMatch(/^HTTP\/1\.1 (400|404) /)
    expect(text).not.toMatch(/SQLite format|uuid/)
    expect(text).not.toContain(site.directory)
  })
}

for (const name of ['../../encryption.key', '..', '/etc/passwd', 'a\0b', `${'x'.repeat(100_000)}`]) {
  attack('names', `validate/file of ${shown(name)} reads nothing`, async () => {
    const { body } = await refuse(site, 400, () => site.post('validate/file', { file_name: name }, { as: 'readonly' }))
    expect(body.reason).toBe('This file does not exist in the librarian.')
  })
}

for (const path of [
  '/etc/passwd',
  '../../etc/passwd',
  'PLACE/../encryption.key',
  'PLACE/.arriero/marker.json',
  'PLACE',
]) {
  attack('names', `admin/add_file of ${path} registers nothing outside of the store`, async () => {
    const there = path.replace('PLACE', join(site.directory, 'files'))
    const before = await site.holdings()
    const { status } = await site.post('admin/add_file', {
      name: 'added',
      create_time: '2026-01-01T00:00:00',
      size: 1,
      checksum: 'md5:::00',
      uploader: 'a',
      source: 'a',
      path: there,
      store_name: 'files',
    })
    expect(status).toBeGreaterThanOrEqual(400)
    expect(await site.holdings()).toBe(before)
  })
}

for (const username of ['', 'a:b', 'a\nb', 'a\0b', 'a\u202eb', 'x'.repeat(257), 'a\u200bb']) {
  attack('names', `${shown(username)} is no user`, async () => {
    await refuse(site, 400, () => site.post('users/create', { username, password: 'long enough', permission: 1 }))
  })
}

// ——— Twins ———

attack('twins', 'one form of Unicode alone is a name: the composed one', async () => {
  await refuse(site, 400, () => site.stage('twin/cafe\u0301', 'x'))
  expect((await site.keep('twin/caf\u00e9', 'x')).status).toBe(200)
  expect(await readdir(join(site.directory, 'files/twin'))).toEqual(['caf\u00e9'])
})

attack(
  'twins',
  'quirk 21: a name inside a kept one, and one above it, are refused when they are announced',
  async () => {
    expect((await site.keep('nest/a', 'x')).status).toBe(200)
    for (const name of ['nest/a/b', 'nest/a/b/c', 'nest']) {
      const { body } = await refuse(site, 409, () => site.stage(name, 'y'))
      expect(body.reason).toBe('File already exists on librarian.')
    }
  },
)

attack('twins', 'of one name twice in a batch one is kept, and the other told', async () => {
  const one = announcementOf('twice', 'one')
  const two = announcementOf('twice', 'two')
  const { body } = await site.post(
    'upload/batch_stage',
    { uploader: 'readappend', uploads: [one, two] },
    { as: 'readappend' },
  )
  const ids: number[] = []
  for (const [index, outcome] of body.outcomes.entries()) {
    if (!outcome.success) continue
    await put(outcome.staging_location, index === 0 ? 'one' : 'two')
    ids.push(outcome.transfer_id)
  }
  const committed = await site.post(
    'upload/batch_commit',
    { commits: ids.map(transfer_id => ({ transfer_id })) },
    { as: 'readappend' },
  )
  const kept = committed.body.outcomes.filter(({ success }: { success: boolean }) => success)
  expect(kept).toHaveLength(1)
  expect(site.rows("SELECT name FROM file WHERE name = 'twice'")).toHaveLength(1)
})

test('good names, however odd, are kept and given back as they are', async () => {
  const odd = [
    '-rf',
    '--help',
    '$(id)',
    '`id`',
    "it's",
    'a"b',
    'a;b',
    'a|b',
    'a&b',
    '%2e%2e',
    'a b',
    '*',
    '?',
    '#x',
    'é',
    '😀',
  ]
  for (const name of odd) {
    expect([name, (await site.keep(`odd/${name}`, `bytes of ${name}`)).status]).toEqual([name, 200])
    const path = `odd/${name}`.split('/').map(encodeURIComponent).join('/')
    expect((await site.call('GET', `/api/v2/data/${path}`, { as: 'readonly' })).text).toBe(`bytes of ${name}`)
  }
  expect(new Set(await readdir(join(site.directory, 'files/odd')))).toEqual(new Set(odd))
})
