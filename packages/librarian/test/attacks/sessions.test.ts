/** The dashboard's sessions: who gets one, what it lets through, what ends it (reliability 6). */
import { SESSION_COOKIE, SESSION_HEADER } from '@arriero/api'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { basic, passwordOf } from '../house.ts'
import { attack, expectGeneric, refuse } from './attack.ts'
import { type Answer, openSite, type Site } from './site.ts'

let site: Site
beforeAll(async () => {
  site = await openSite()
})
afterAll(() => site[Symbol.asyncDispose]())

interface Opened {
  readonly cookie: string
  readonly csrf: string
  readonly answer: Answer
}

const begin = (username: string, password = passwordOf(username), headers: Record<string, string> = {}) =>
  site.post('session/begin', { username, password }, { as: '', headers })

async function open(username: string, password?: string): Promise<Opened> {
  const answer = await begin(username, password)
  expect([answer.status, answer.text]).toEqual([200, answer.text])
  return { cookie: answer.headers.get('set-cookie')!.split(';')[0]!, csrf: answer.body.csrf, answer }
}

/** A call as the session's own page makes it. */
const from = ({ cookie, csrf }: Opened, path: string, body: unknown, headers: Record<string, string> = {}) =>
  site.post(path, body, { as: '', headers: { cookie, [SESSION_HEADER]: csrf, origin: site.url, ...headers } })

const look = (session: Opened) => from(session, 'session/get', {})

const newUser = { username: 'made', password: 'long enough', permission: 1 }

test('a session is a cookie that no script sees, and speaks for its user until it is ended', async () => {
  const session = await open('admin')
  const cookie = session.answer.headers.get('set-cookie')!
  expect(cookie).toMatch(new RegExp(`^${SESSION_COOKIE}=[\\w-]{43}; HttpOnly; SameSite=Strict; Path=/$`))
  expect(session.answer.body).toMatchObject({ username: 'admin', level: 100 })
  expect((await look(session)).body).toEqual({ ...session.answer.body, expires_time: expect.any(String) })
  expect((await from(session, 'ping/admin', {})).status).toBe(200)
  expect((await from(session, 'users/get', { username: 'readonly' })).body.permission).toBe(1)
  const ended = await from(session, 'session/end', {})
  expect([ended.status, ended.headers.get('set-cookie')]).toEqual([200, expect.stringContaining('Max-Age=0')])
  expect((await look(session)).status).toBe(401)
  expect((await from(session, 'ping/logged', {})).status).toBe(401)
})

test('downloads and other looks need the cookie alone', async () => {
  await site.keep('seen.txt', 'seen')
  const { cookie } = await open('readonly')
  const got = await site.call('GET', '/api/v2/data/seen.txt', { as: '', headers: { cookie } })
  expect([got.status, got.text]).toEqual([200, 'seen'])
})

test('the catalogue holds nothing that lets anybody in', async () => {
  const { cookie, csrf } = await open('readonly')
  const rows = JSON.stringify(site.rows('SELECT * FROM session'))
  expect(rows).toContain('readonly')
  for (const secret of [cookie.split('=')[1]!, csrf]) {
    expect(rows).not.toContain(secret)
    expect(site.logged.join('\n')).not.toContain(secret)
  }
})

attack('sessions', 'whoever cannot log in gets one answer, and no challenge that a browser would take up', async () => {
  const answers: unknown[] = []
  for (const [username, password] of [
    ['readonly', 'wrong'],
    ['nobody at all', 'wrong'],
    ['none', passwordOf('none')],
    ['a\u0000b', 'wrong'],
  ] as const) {
    const answer = await begin(username, password)
    expectGeneric(site, answer)
    expect([username, answer.headers.get('set-cookie'), answer.headers.get('www-authenticate')]).toEqual([
      username,
      null,
      null,
    ])
    answers.push([answer.status, answer.text])
  }
  expect(new Set(answers.map(answer => JSON.stringify(answer))).size).toBe(1)
  expect(answers[0]).toEqual([401, expect.stringContaining('NoSession')])
})

attack('sessions', 'guessing passwords slows down as it does elsewhere', async () => {
  await using guessed = await openSite()
  const statuses: number[] = []
  for (let at = 0; at < 12; at++) {
    statuses.push((await guessed.post('session/begin', { username: 'admin', password: `${at}` }, { as: '' })).status)
  }
  expect(statuses.filter(status => status === 401)).toHaveLength(10)
  expect(statuses.at(-1)).toBe(429)
  // One limit for both ways in.
  expect((await guessed.post('ping/logged', {}, { password: 'wrong too' })).status).toBe(429)
})

attack('sessions', 'forged, cut, doubled and ended cookies are none', async () => {
  const session = await open('admin')
  const value = session.cookie.split('=')[1]!
  const other = await open('admin')
  await from(other, 'session/end', {})
  const changed = `${value[0] === 'A' ? 'B' : 'A'}${value.slice(1)}`
  for (const cookie of [
    `${SESSION_COOKIE}=`,
    `${SESSION_COOKIE}=${value.slice(1)}`,
    `${SESSION_COOKIE}=${changed}`,
    `${SESSION_COOKIE}=${value}; ${SESSION_COOKIE}=${value}`,
    `${SESSION_COOKIE}="${value}"`,
    `${SESSION_COOKIE}=' OR 1=1 --`,
    `other=${value}`,
    other.cookie,
  ]) {
    const answer = await refuse(site, 401, () => from(session, 'users/create', newUser, { cookie }))
    expect(answer.headers.get('set-cookie')).toBe(null)
  }
})

attack(
  'cross-site pages',
  'without the session’s own token and an origin of ours, its cookie does nothing',
  async () => {
    const session = await open('admin')
    const stranger = await open('readonly')
    const forged: Record<string, string>[] = [
      { [SESSION_HEADER]: '' },
      { [SESSION_HEADER]: stranger.csrf },
      { [SESSION_HEADER]: session.csrf.slice(1) },
      { origin: '' },
      { origin: 'null' },
      { origin: 'https://evil.example' },
      { origin: `${site.url}.evil.example` },
      { origin: `http://127.0.0.1:${site.port + 1}` },
      { origin: `file://127.0.0.1:${site.port}` },
    ]
    for (const headers of forged) {
      const answer = await refuse(site, 403, () => from(session, 'users/create', newUser, headers))
      expect([headers, answer.body.code]).toEqual([headers, 'Forbidden'])
      expect((await from(session, 'session/end', {}, headers)).status).toBe(403)
    }
    expect((await look(session)).status).toBe(200)
  },
)

attack('cross-site pages', 'nobody is logged in as another by a page of another site', async () => {
  const login = { username: 'readonly', password: passwordOf('readonly') }
  const foreign = await begin(login.username, login.password, { origin: 'https://evil.example' })
  expect([foreign.status, foreign.headers.get('set-cookie')]).toEqual([403, null])
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
    const form = await begin(login.username, login.password, { 'content-type': type })
    expect([type, form.status, form.headers.get('set-cookie')]).toEqual([type, 415, null])
  }
})

attack('sessions', 'its level is that of its user, who is told so', async () => {
  const session = await open('readappend')
  const answer = await refuse(site, 403, () => from(session, 'users/create', newUser))
  expect(answer.headers.get('www-authenticate')).toBe(null)
  expect((await from(session, 'transfers/list', {})).status).toBe(200)
})

attack('sessions', 'a new password, another level and removal end all of a user at once', async () => {
  const user = { username: 'changing', password: 'long enough', permission: 3 }
  await site.post('users/create', user)
  const changes: [path: string, body: object, password: string][] = [
    ['users/update', { username: 'changing', permission: 1 }, user.password],
    ['users/update', { username: 'changing', password: 'another one' }, user.password],
    ['users/delete', { username: 'changing' }, 'another one'],
  ]
  for (const [path, body, password] of changes) {
    const sessions = [await open('changing', password), await open('changing', password)]
    expect((await look(sessions[0]!)).status).toBe(200)
    expect((await site.post(path, body)).status).toBe(200)
    for (const session of sessions) expect((await from(session, 'ping/logged', {})).status).toBe(401)
  }
  const own = { username: 'own', password: 'long enough', permission: 1 }
  await site.post('users/create', own)
  const session = await open('own', own.password)
  const change = { password: own.password, new_password: 'yet another' }
  expect((await from(session, 'users/password_update', change)).status).toBe(200)
  expect((await look(session)).status).toBe(401)
})

attack('sessions', 'one that is old, or was not used for long, is none', async () => {
  const idle = await open('readonly')
  const old = await open('readonly')
  const fresh = await open('readonly')
  await using trial = await aged(site, [
    [idle, 'last_used', '-13 hours'],
    [old, 'created', '-8 days'],
  ])
  expect(trial.changed).toBe(2)
  expect((await look(idle)).status).toBe(401)
  expect((await look(old)).status).toBe(401)
  expect((await look(fresh)).status).toBe(200)
})

attack('sessions', 'a password in the call counts more than a cookie beside it', async () => {
  const { cookie } = await open('admin')
  const answer = await site.post('users/create', newUser, {
    as: '',
    headers: { cookie, authorization: basic('readonly') },
  })
  expect(answer.status).toBe(401)
})

/** Sessions of long ago: the only way to them without waiting. */
async function aged(
  { directory }: Site,
  changes: readonly (readonly [Opened, 'created' | 'last_used', string])[],
): Promise<AsyncDisposable & { changed: number }> {
  const { default: Database } = await import('better-sqlite3')
  const { createHash } = await import('node:crypto')
  const database = new Database(`${directory}/catalogue.db`)
  let changed = 0
  for (const [{ cookie }, column, by] of changes) {
    const hash = createHash('sha256').update(cookie.split('=')[1]!).digest('hex')
    const past = `strftime('%Y-%m-%dT%H:%M:%f000Z', 'now', '${by}')`
    changed += database.prepare(`UPDATE session SET ${column} = ${past} WHERE token_hash = ?`).run(hash).changes
  }
  return {
    changed,
    async [Symbol.asyncDispose]() {
      database.close()
    },
  }
}
