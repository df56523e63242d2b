/** What users may have the server fetch (reliability 6), by a whole librarian; more in `../ingest.test.ts`. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect } from 'vitest'
import { attack, refuse } from './attack.ts'
import { md5, openSite, type Site } from './site.ts'

const origin = createServer((request, response) => {
  hits.push(request.url!)
  response.writeHead(200, {
    'content-disposition': 'attachment; filename="../../chosen.exe"',
    'content-type': 'text/html',
  })
  response.end('x')
})
const hits: string[] = []
let site: Site
let port: number
beforeAll(async () => {
  await new Promise<void>(resolve => origin.listen(0, '127.0.0.1', resolve))
  port = (origin.address() as AddressInfo).port
  const ingest = { hosts: ['127.0.0.1', 'localhost'], schemes: ['http'], ports: [port], networks: ['127.0.0.0/8'] }
  site = await openSite({ settings: { ingest } })
})
afterAll(async () => {
  origin.close()
  await site[Symbol.asyncDispose]()
})

const entry = (uri: string, name = 'fetched') => ({ entries: [{ name, uri, size: 1, checksum: md5('x') }] })

attack('fetch by URL', 'off, unless the settings name hosts', async () => {
  await using closed = await openSite()
  await refuse(closed, 409, () => closed.post('ingest', entry(`http://127.0.0.1:${port}/a`), { as: 'readappend' }))
})

for (const uri of [
  'file:///etc/passwd',
  'ftp://127.0.0.1/a',
  'gopher://127.0.0.1:25/_MAIL',
  'data:text/plain,x',
  'javascript:1',
  '/etc/passwd',
  '//127.0.0.1/a',
  'http://',
  'http:///etc/passwd',
  'http://user:secret@127.0.0.1/a',
  'http://127.0.0.1/a\r\nX-Injected: 1',
  'http://127.0.0.1/a b',
  `http://127.0.0.1/${'a'.repeat(9000)}`,
  '',
]) {
  attack('fetch by URL', `${JSON.stringify(uri.slice(0, 50))} makes no job`, async () => {
    await refuse(site, 422, () => site.post('ingest', entry(uri), { as: 'readappend' }))
    expect(hits).toEqual([])
  })
}

for (const name of ['../up', '/etc/passwd', 'a\nb', 'CON', 'cafe\u0301', '.arriero/x']) {
  attack('names', `${JSON.stringify(name)} is no name to fetch to`, async () => {
    const before = site.rows('SELECT name FROM file')
    const answer = await site.post('ingest', entry(`http://127.0.0.1:${port}/a`, name), { as: 'readappend' })
    if (answer.status < 400) await ended(answer.body.job_id)
    expect(site.rows('SELECT name FROM file')).toEqual(before)
    expect(hits).toEqual([])
  })
}

for (const [what, names] of [
  ['the same name twice', ['a', 'b', 'a']],
  ['names that differ by case alone', ['night/A', 'night/a']],
  ['a name and one inside it', ['a/b', 'a']],
  ['a name inside another, by case', ['A', 'a/b']],
] as const) {
  attack('twins', `${what} in one list are refused before a byte moves`, async () => {
    const entries = names.flatMap(name => entry(`http://127.0.0.1:${port}/a`, name).entries)
    await refuse(site, 422, () => site.post('ingest', { entries }, { as: 'readappend' }))
    expect(hits).toEqual([])
  })
}

async function ended(job_id: string) {
  const status = () => site.post('ingest/status', { job_id }, { as: 'readappend' })
  await expect.poll(async () => (await status()).body.job.status, { timeout: 20_000 }).toMatch(/done|failed/)
  return (await status()).body
}

attack('chosen names', 'a fetched file has the name that was asked for, whatever its server calls it', async () => {
  const { body } = await site.post('ingest', entry(`http://127.0.0.1:${port}/a`, 'asked/for'), { as: 'readappend' })
  expect((await ended(body.job_id)).job).toMatchObject({ done: 1, failed: 0 })
  expect(site.rows('SELECT name FROM file')).toEqual([{ name: 'asked/for' }])
})

attack('guessing', 'jobs of others are as jobs that are not there, to see and to cancel', async () => {
  const { body } = await site.post('ingest', entry(`http://127.0.0.1:${port}/b`, 'asked/too'), { as: 'readappend' })
  await ended(body.job_id)
  for (const path of ['ingest/status', 'ingest/cancel']) {
    const theirs = await refuse(site, 404, () => site.post(path, { job_id: body.job_id }, { as: 'other' }))
    const none = await refuse(site, 404, () => site.post(path, { job_id: '0'.repeat(32) }, { as: 'other' }))
    expect(theirs.text.replaceAll(body.job_id, 'N')).toBe(none.text.replaceAll('0'.repeat(32), 'N'))
  }
  expect((await site.post('ingest/list', { owner: 'readappend' }, { as: 'other' })).body.jobs).toEqual([])
})
