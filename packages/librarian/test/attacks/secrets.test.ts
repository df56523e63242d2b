/** Secrets that are marked, and everything that somebody could read them in (reliability 6, F1). */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import { basic, passwordOf } from '../house.ts'
import { attack } from './attack.ts'
import { type Answer, md5, openSite, type Site } from './site.ts'

/** Each is unlike any other text, so that a hit is a leak. */
const mark = (what: string) => `canary-${what}-${'7f3c9e1ab52d'}`
const marks = {
  password: mark('password'),
  second: mark('second'),
  guess: mark('guess'),
  peer: mark('peer'),
  query: mark('query'),
  userinfo: mark('userinfo'),
  bearer: mark('bearer'),
  fragment: mark('fragment'),
}

/** Everything that was answered, whatever it was. */
async function commitManySins(site: Site, origin: string): Promise<string[]> {
  const told: string[] = []
  const note = async (answer: Promise<Answer>) => {
    const { status, text, headers } = await answer
    told.push(`${status} ${text} ${JSON.stringify([...headers])}`)
  }
  const { password, second, guess, peer, query, userinfo, bearer, fragment } = marks
  const as = { as: 'canary', password }
  await note(site.post('users/create', { username: 'canary', password, permission: 3 }))
  await note(site.post('users/create', { username: 'canary', password, permission: 3 }))
  await note(site.post('users/create', { username: 'bad:name', password, permission: 3 }))
  await note(site.post('users/create', { username: 'x', password: [password], permission: 3 }))
  await note(site.post('users/create', `{"username":"x","password":"${password}"`))
  await note(site.post('users/create', { username: 'x', password: `${password}\ud800`, permission: 3 }))
  await note(
    site.post('users/create', { username: 'keyed', password, permission: 1 }, { headers: { 'idempotency-key': 'k' } }),
  )
  await note(
    site.post('users/create', { username: 'keyed', password, permission: 1 }, { headers: { 'idempotency-key': 'k' } }),
  )
  await note(site.post('ping/logged', {}, as))
  await note(site.post('ping/logged', {}, { as: 'canary', password: guess }))
  await note(site.post(`ping/logged?token=${query}#${fragment}`, {}, as))
  await note(site.call('GET', `/api/v2/data/nothing?X-Amz-Signature=${query}`, as))
  await note(site.call('GET', '/api/v2/data/nothing', { as: '', headers: { authorization: `Bearer ${bearer}` } }))
  await note(site.call('GET', '/api/v2/data/nothing', { as: '', headers: { authorization: `Basic ${bearer}` } }))
  await note(site.post('users/password_update', { password, new_password: second }, as))
  await note(
    site.post('users/password_update', { password: guess, new_password: second }, { as: 'canary', password: second }),
  )
  const librarian = {
    librarian_name: 'peer',
    url: origin,
    port: Number(new URL(origin).port),
    authenticator: `me:${peer}`,
  }
  await note(site.post('admin/librarians/add', librarian))
  await note(site.post('admin/librarians/add', { ...librarian, check_connection: false }))
  await note(
    site.post('admin/librarians/add', { ...librarian, librarian_name: 'p2', url: `http://u:${userinfo}@127.0.0.1` }),
  )
  await note(site.post('admin/librarians/list', { ping: true }))
  await note(site.post('admin/librarians/list', {}, as))
  for (const uri of [
    `${origin}/a?X-Amz-Signature=${query}&X-Amz-Credential=x`,
    `${origin}/a?token=${query}`,
    origin.replace('//', `//user:${userinfo}@`),
    `https://elsewhere.example/a?sig=${query}#${fragment}`,
  ]) {
    const entries = [{ name: 'fetched', uri, checksum: md5('x'), size: 1 }]
    await note(site.post('ingest', { entries }, { as: 'canary', password: second }))
  }
  await note(site.post('ingest/list', {}, { as: 'canary', password: second }))
  await note(site.stage('../canary', password))
  for (const path of ['search/error', 'users/list', 'transfers/list', 'admin/stores/list'])
    await note(site.post(path, {}))
  for (const path of [
    '/health',
    '/health/ready',
    '/api/v2/openapi.json',
    '/docs',
    '/redoc',
    '/metrics',
    '/ga4gh/drs/v1/service-info',
  ])
    await note(site.call('GET', path, { as: '' }))
  await note(
    site
      .raw(`POST /api/v2/ping HTTP/1.1\r\nauthorization: ${basic('canary', second)}\r\nx-token: ${bearer}\r\n\r\n`)
      .then(({ text }) => ({ status: 0, text, body: undefined, headers: new Headers() })),
  )
  return told
}

attack(
  'secrets',
  'marked ones are nowhere: not in logs, answers, rows, files, arguments, or at other origins',
  async () => {
    const seen: string[] = []
    const foreign = createServer((request, response) => {
      seen.push(`${request.method} ${request.url} ${JSON.stringify(request.rawHeaders)}`)
      response.writeHead(302, { location: '/elsewhere' }).end()
    })
    await new Promise<void>(resolve => foreign.listen(0, '127.0.0.1', resolve))
    const origin = `http://127.0.0.1:${(foreign.address() as AddressInfo).port}`
    await using site = await openSite({
      settings: {
        debug: true,
        ingest: { hosts: ['127.0.0.1'], schemes: ['http', 'https'], ports: [443], networks: ['127.0.0.0/8'] },
      },
    })
    const told = await commitManySins(site, origin)
    const key = readFileSync(join(site.directory, 'encryption.key'), 'utf8').trim()
    const processes = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })
    const rows = JSON.stringify(
      site
        .rows("SELECT name FROM sqlite_master WHERE type = 'table'")
        .map(({ name }) => site.rows(`SELECT * FROM "${name}"`)),
    )
    const places = {
      log: site.logged.join('\n'),
      told: told.join('\n'),
      processes,
      rows,
      files: filesBelow(site.directory),
    }
    // What is right to be sent to a peer is its own password, as it was given.
    const foreignly = seen.join('\n').replaceAll(Buffer.from(`me:${marks.peer}`).toString('base64'), '')
    const secrets = [...Object.values(marks), passwordOf('admin'), key]
    for (const [place, text] of Object.entries({ ...places, foreignly })) {
      for (const secret of secrets) {
        for (const form of [
          secret,
          encodeURIComponent(secret),
          Buffer.from(secret).toString('base64').replace(/=+$/, '').slice(4, -4),
        ]) {
          if (place === 'files' && secret === key) continue
          expect([place, form, contextOf(text, form)]).toEqual([place, form, ''])
        }
      }
    }
    // The search finds what there is to be found: names that were sent along with the secrets.
    expect(places.told).toContain('canary')
    expect(places.rows).toContain('keyed')
    expect(places.log.length).toBeGreaterThan(1000)
    foreign.close()
  },
)

function contextOf(text: string, needle: string): string {
  const at = text.indexOf(needle)
  return at === -1 ? '' : text.slice(Math.max(0, at - 200), at + 100)
}

/** All files as text, of the catalogue too. */
function filesBelow(directory: string): string {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map(path => join(directory, path))
    .filter(path => statSync(path).isFile())
    .map(path => readFileSync(path, 'latin1'))
    .join('\n')
}

attack('secrets', 'a failure inside is told outside as such, and no more', async () => {
  await using site = await openSite()
  const { catalogue } = site.librarian
  const broken = Object.assign(new Error(`cannot open ${site.directory}/catalogue.db with ${marks.password}`), {
    code: 'EIO',
  })
  const find = catalogue.files.search
  Object.assign(catalogue.files, { search: () => Promise.reject(broken) })
  try {
    const { status, text } = await site.post('search/file', {}, { as: 'readonly' })
    expect(status).toBe(500)
    expect(text).not.toContain(site.directory)
    expect(text).not.toContain(marks.password)
    // Inside, it is told where to look.
    expect(site.logged.join('')).toContain('catalogue.db')
  } finally {
    Object.assign(catalogue.files, { search: find })
  }
})

// ——— Lines of the log ———

let lined: Site
beforeAll(async () => {
  lined = await openSite()
})
afterAll(() => lined[Symbol.asyncDispose]())

for (const [what, text] of [
  ['a line’s end', 'a\n{"level":"fatal","msg":"forged"}'],
  ['an escape', 'a\u001b[2J\u001b]0;owned\u0007'],
  ['a C1 control', 'a\u009b31m'],
  ['a turn of direction', 'a\u202eb'],
  ['a line separator', 'a\u2028b'],
  ['a format', '%n%s%d%p'],
] as const) {
  attack('log lines', `${what} in names makes neither a line nor a colour`, async () => {
    const site = lined
    await site.stage(text, 'x')
    await site.post('validate/file', { file_name: text })
    await site.post('users/get', { username: text })
    await site.post('search/file', { name: text }, { headers: { 'user-agent': 'x', 'x-request-id': 'forged' } })
    await site.raw(`GET /${encodeURIComponent(text)} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`)
    for (const line of site.logged) {
      expect(line.match(/\n/g)).toHaveLength(1)
      expect(() => JSON.parse(line)).not.toThrow()
      expect(line.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/)
      expect(JSON.parse(line)).not.toMatchObject({ level: 'fatal' })
    }
  })
}
