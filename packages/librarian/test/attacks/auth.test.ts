/** Who may come in, and who may do what (reliability 6). */

import { type Endpoint, type Level, levelNames, levels } from '@arriero/api'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { isUnserved } from '../../src/app/unserved.ts'
import { allEndpoints } from '../../src/app.ts'
import { idOfPath } from '../../src/services/drs/ids.ts'
import { basic, passwordOf } from '../house.ts'
import { attack, expectGeneric, refuse, shown } from './attack.ts'
import { type Answer, addUser, openSite, type Site } from './site.ts'

let site: Site
beforeAll(async () => {
  site = await openSite()
})
afterAll(() => site[Symbol.asyncDispose]())

const ping = (authorization: string | undefined) =>
  site.call('POST', '/api/v2/ping/logged', {
    as: '',
    body: '{}',
    headers: { 'content-type': 'application/json', ...(authorization === undefined ? {} : { authorization }) },
  })

/** All that a stranger sees, but the request's number. */
const seen = ({ status, text, headers }: Answer) => ({
  status,
  text,
  headers: Object.fromEntries([...headers].filter(([name]) => !['x-request-id', 'date'].includes(name))),
})

// ——— Wrong passwords ———

attack(
  'wrong password',
  'wrong password, unknown, removed and impossible user, and too low a level are one answer',
  async () => {
    await site.post('users/create', { username: 'gone', password: 'was long enough', permission: 1 })
    expect((await ping(basic('gone', 'was long enough'))).status).toBe(200)
    await site.post('users/delete', { username: 'gone' })
    const wrong = seen(await ping(basic('readonly', 'wrong')))
    expect(wrong).toMatchObject({ status: 401, text: '{"detail":"Incorrect username or password"}' })
    expect(wrong.headers['www-authenticate']).toBe('Basic')
    for (const [username, password] of [
      ['nobody', 'wrong'],
      ['gone', 'was long enough'],
      ['none', passwordOf('none')],
      ['x'.repeat(300), 'wrong'],
      ['a\nb', 'wrong'],
      ['', ''],
      ["' OR 1=1 --", 'x'],
      ['Readonly', passwordOf('readonly')],
      ['readonly ', passwordOf('readonly')],
      ['readonly', passwordOf('admin')],
      ['readonly', `${passwordOf('readonly')} `],
      ['readonly', ''],
    ] as const) {
      expect([username, seen(await ping(basic(username, password)))]).toEqual([username, wrong])
    }
  },
)

attack('wrong password', 'trap 11: an unknown user costs the work that a known one does', async () => {
  await using dear = await openSite({ isDear: true })
  await dear.post('users/create', { username: 'dear', password: 'of real cost', permission: 1 })
  const timeOf = async (username: string) => {
    const start = performance.now()
    expect((await dear.post('ping/logged', {}, { as: username, password: 'wrong' })).status).toBe(401)
    return performance.now() - start
  }
  const leastOf = async (username: string) => {
    const times: number[] = []
    for (let at = 0; at < 3; at++) times.push(await timeOf(username))
    return Math.min(...times)
  }
  const [known, unknown] = [await leastOf('dear'), await leastOf('nobody at all')]
  // Without the work it would be a hundredth of it.
  expect(unknown).toBeGreaterThan(known / 4)
  expect(known).toBeGreaterThan(unknown / 4)
})

attack(
  'wrong password',
  'guessing ends after ten tries, with a time to wait, and keeps no administrator out',
  async () => {
    const tries: number[] = []
    for (let at = 0; at < 14; at++) tries.push((await ping(basic('callback', `guess ${at}`))).status)
    expect(tries.slice(0, 10)).toEqual(Array(10).fill(401))
    expect(tries).toContain(429)
    const told = await ping(basic('callback', 'guess'))
    expect([told.status, Number(told.headers.get('retry-after'))]).toEqual([429, expect.any(Number)])
    expectGeneric(site, told)
    expect((await ping(basic('admin'))).status).toBe(200)
  },
)

attack('wrong password', 'a removed user’s next call fails, however good the last one was', async () => {
  await site.post('users/create', { username: 'short-lived', password: 'long enough', permission: 3 })
  const as = basic('short-lived', 'long enough')
  expect((await ping(as)).status).toBe(200)
  await site.post('users/delete', { username: 'short-lived' })
  expect((await ping(as)).status).toBe(401)
})

attack('wrong password', 'a lowered level counts from the next call on', async () => {
  await site.post('users/create', { username: 'lowered', password: 'long enough', permission: 3 })
  const list = () => site.post('transfers/list', {}, { as: 'lowered', password: 'long enough' })
  expect((await list()).status).toBe(200)
  await site.post('users/update', { username: 'lowered', permission: 1 })
  expect((await list()).status).toBe(401)
})

attack('wrong password', 'failures are logged with the address, and without what was tried', async () => {
  await ping(basic('readonly', 'a guess that is no password'))
  expect(site.logged.some(line => line.includes('A sign-in failed'))).toBe(true)
  expect(site.logged.join('')).not.toContain('a guess that is no password')
})

// ——— Headers ———

for (const header of [
  undefined,
  '',
  'Basic',
  'Basic ',
  'Basic !!',
  'Basic YWRtaW4',
  `Basic ${Buffer.from('admin').toString('base64')}`,
  `Bearer ${Buffer.from('admin:x').toString('base64')}`,
  `Digest username="admin"`,
  `Basic ${Buffer.from('admin:x').toString('base64')}, Basic x`,
  `Basic ${Buffer.from(`admin:${'x'.repeat(10_240)}`).toString('base64')}`,
  `Basic ${Buffer.from(`${'x'.repeat(2000)}:x`).toString('base64')}`,
]) {
  attack('password forms', `the header ${shown(header ?? 'none')} is nobody’s`, async () => {
    const answer = await ping(header)
    expect([answer.status, answer.text]).toEqual([401, '{"detail":"Not authenticated"}'])
    expect(answer.headers.get('www-authenticate')).toBe('Basic')
  })
}

for (const password of [
  'with:colon',
  ':',
  '::::::::',
  'Grüße — 日本語',
  'nul\0inside',
  'line\nend',
  ' blanks around ',
  '😀😀😀😀',
  `${'é'.repeat(400)}`,
  `${'x'.repeat(1000)}`,
]) {
  attack('password forms', `the password ${shown(password)} is used whole (trap 11)`, async () => {
    const username = `p${shown(password).length}-${password.length}-${password.charCodeAt(0)}`
    expect((await site.post('users/create', { username, password, permission: 1 })).status).toBe(201)
    const as = (given: string) => ping(basic(username, given))
    expect((await as(password)).status).toBe(200)
    for (const part of [password.split(':')[0]!, password.slice(0, -1), password.split('\0')[0]!]) {
      if (part !== password) expect([part, (await as(part)).status]).toEqual([part, 401])
    }
  })
}

attack('password forms', 'one that real clients write as Latin-1 is the same as in UTF-8', async () => {
  await site.post('users/create', { username: 'latin', password: 'Grüße überall', permission: 1 })
  const header = `Basic ${Buffer.from('latin:Grüße überall', 'latin1').toString('base64')}`
  expect((await ping(header)).status).toBe(200)
})

for (const password of ['', 'x'.repeat(1024), 'x'.repeat(10_240), '\ud800']) {
  attack('password forms', `${shown(password)} is no password to set`, async () => {
    const before = await site.holdings()
    const body = JSON.stringify({ username: 'unset', password, permission: 1 })
    const { status } = await site.post('users/create', body)
    expect([400, 422]).toContain(status)
    expect(await site.holdings()).toBe(before)
  })
}

// ——— Tokens ———

attack(
  'token compare',
  'a ticket of DRS is for one object, ends with a letter changed, and stands in no row',
  async () => {
    expect((await site.keep('drs/a', 'bytes of a')).status).toBe(200)
    expect((await site.keep('drs/b', 'bytes of b')).status).toBe(200)
    const access = await site.call('GET', `/ga4gh/drs/v1/objects/${idOfPath('drs/a')}/access/https`, { as: 'readonly' })
    expect(access.status).toBe(200)
    const header = (access.body.headers as string[])[0]!.replace(/^authorization: */i, '')
    const get = (path: string, authorization: string) =>
      site.call('GET', `/api/v2/data/${path}`, { as: '', headers: { authorization } })
    expect((await get('drs/a', header)).text).toBe('bytes of a')
    expect((await get('drs/b', header)).status).toBe(401)
    const token = header.split(' ')[1]!
    for (const forged of [token.slice(0, -1), `${token}x`, token.slice(1), '', 'x', 'x'.repeat(5000), flipped(token)]) {
      const answer = await get('drs/a', `Bearer ${forged}`)
      expect([forged, answer.status]).toEqual([forged, 401])
      expectGeneric(site, answer)
    }
    const database = JSON.stringify(site.rows('SELECT * FROM setting'))
    expect(database).not.toContain(token)
    expect(site.logged.join('')).not.toContain(token)
  },
)

attack('token compare', 'a ticket ends with its user’s account, and with leave to read', async () => {
  expect((await site.keep('drs/c', 'bytes of c')).status).toBe(200)
  for (const [username, end] of [
    ['ticket-gone', () => site.post('users/delete', { username: 'ticket-gone' })],
    ['ticket-lowered', () => site.post('users/update', { username: 'ticket-lowered', permission: 0 })],
  ] as const) {
    await site.post('users/create', { username, password: 'long enough', permission: 1 })
    const access = await site.call('GET', `/ga4gh/drs/v1/objects/${idOfPath('drs/c')}/access/https`, {
      as: username,
      password: 'long enough',
    })
    const authorization = (access.body.headers as string[])[0]!.replace(/^authorization: */i, '')
    const get = () => site.call('GET', '/api/v2/data/drs/c', { as: '', headers: { authorization } })
    expect((await get()).status).toBe(200)
    await end()
    expect([username, (await get()).status]).toEqual([username, 401])
  }
})

function flipped(token: string): string {
  const middle = Math.trunc(token.length / 2)
  return `${token.slice(0, middle)}${token[middle] === 'A' ? 'B' : 'A'}${token.slice(middle + 1)}`
}

// ——— Levels ———

const served = allEndpoints().filter(endpoint => !isUnserved(endpoint))

/** Enough for each endpoint to be understood, naming what is another's. */
function bodyOf({ path }: Endpoint, own: { transfer: number; job: string }): Record<string, unknown> {
  const bodies: Readonly<Record<string, Record<string, unknown>>> = {
    'upload/commit': {
      store_name: 'files',
      staging_name: 's',
      staging_location: '/s',
      upload_name: 'f',
      destination_location: 'foreign',
      transfer_provider_name: 'local',
      transfer_provider: { hostnames: [] },
      meta_mode: 'infer',
      deletion_policy: '1',
      uploader: 'other',
      transfer_id: own.transfer,
    },
    'upload/batch_commit': { commits: [{ transfer_id: own.transfer }] },
    'upload/abort': { transfer_id: own.transfer },
    'transfers/get': { transfer_id: own.transfer },
    'ingest/status': { job_id: own.job },
    'ingest/cancel': { job_id: own.job },
  }
  return bodies[path] ?? {}
}

const foreignObjects = served.filter(endpoint => Object.keys(bodyOf(endpoint, { transfer: 1, job: '' })).length > 0)

for (const endpoint of foreignObjects) {
  attack(
    'levels',
    `${endpoint.path} of another’s object, at every level below ADMIN, changes and tells nothing`,
    async () => {
      const staged = await site.stage(`foreign/${endpoint.path}`, 'x')
      const own = { transfer: staged.body.transfer_id as number, job: '0'.repeat(32) }
      await site.librarian.catalogue.accounts.create({ username: 'unused', authToken: 'x', level: 'NONE' })
      for (const level of levelNames.filter(name => name !== 'ADMIN')) {
        const as = level === 'READAPPEND' ? 'other' : level.toLowerCase()
        if (level === 'CALLBACK') continue
        const before = await site.holdings()
        const answer = await site.post(endpoint.path, bodyOf(endpoint, own), { as })
        const isTold = levels[level as Level] >= levels[endpoint.level]
        if (!isTold) expect([level, answer.status]).toEqual([level, 401])
        else if (endpoint.path === 'upload/batch_commit') expect(answer.body.outcomes[0].status).toBe(404)
        else expect([level, answer.status]).toEqual([level, endpoint.path === 'upload/commit' ? 401 : 404])
        expect(await site.holdings()).toBe(before)
      }
    },
  )
}

attack(
  'levels',
  'every endpoint declares a level, and each path of it holds to it, alias and slash alike',
  async () => {
    for (const endpoint of served) {
      expect(levelNames).toContain(endpoint.level)
      if (endpoint.level === 'NONE') continue
      const below = levelNames.filter(level => levels[level] < levels[endpoint.level]).at(-1)!
      for (const path of [endpoint.path, ...(endpoint.aliases ?? [])].flatMap(each => [
        each,
        `${each}/`,
        each.replace(/\/$/, ''),
      ])) {
        if (below === 'CALLBACK') continue
        const { status } = await site.post(path.replace(/\/+$/, '/'), '[]', { as: below.toLowerCase() })
        expect([path, below, status]).toEqual([path, below, 401])
      }
    }
  },
)

attack('levels', 'no spelling of a path goes round its level', async () => {
  for (const path of [
    '/api/v2//users/get',
    '/api/v2/./users/get',
    '/api/v2/ping/../users/get',
    '/api/v2/users%2fget',
    '/api/v2/Users/Get',
    '/api/v2/users/get;x=1',
    '/api/v2/users/get/.',
    '/API/V2/users/get',
    '/api/v2/users/get%00',
    '//api/v2/users/get',
    'http://x/api/v2/users/get',
  ]) {
    const { text } = await site.raw(
      `POST ${path} HTTP/1.1\r\nhost: x\r\nauthorization: ${basic('readonly')}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: 20\r\n\r\n{"username":"admin"}`,
    )
    expect([path, text.split('\r\n')[0]]).toEqual([path, expect.stringMatching(/ (400|401|404|405) /)])
    expect(text).not.toContain('"permission"')
  }
})

attack('levels', 'headers that proxies set give nobody a level or an address', async () => {
  const before = site.logged.length
  await site
    .post(
      'users/get',
      { username: 'admin' },
      {
        as: 'readonly',
        headers: {
          'x-forwarded-for': '10.9.8.7',
          'x-forwarded-user': 'admin',
          'x-remote-user': 'admin',
          'x-original-url': '/health',
        },
      },
    )
    .then(({ status }) => expect(status).toBe(401))
  await ping(basic('readonly', 'wrong again'))
  expect(site.logged.slice(before).join('')).not.toContain('10.9.8.7')
})

attack('levels', 'another method than POST reaches no endpoint', async () => {
  for (const method of ['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'BREW']) {
    const { text } = await site.raw(
      `${method} /api/v2/users/get HTTP/1.1\r\nhost: x\r\nauthorization: ${basic('admin')}\r\nconnection: close\r\ncontent-length: 0\r\nx-http-method-override: POST\r\n\r\n`,
    )
    expect([method, text.split('\r\n')[0]]).toEqual([method, expect.stringMatching(/ (400|404|405) /)])
  }
})

// ——— Users ———

attack('users', 'nobody changes their own level, not even downwards', async () => {
  for (const permission of [0, 1, 4]) {
    await refuse(site, 409, () => site.post('users/update', { username: 'admin', permission }))
  }
})

attack('users', 'a user who may add others’ files makes no administrators', async () => {
  for (const as of ['readwrite', 'readappend', 'readonly']) {
    for (const [path, body] of [
      ['users/create', { username: 'root', password: 'long enough', permission: 100 }],
      ['users/update', { username: as, permission: 100 }],
      ['users/update', { username: 'admin', password: 'mine now, all of it' }],
      ['users/delete', { username: 'admin' }],
    ] as const) {
      await refuse(site, 401, () => site.post(path, body, { as }))
    }
  }
})

attack('users', 'one’s password is not changed without the present one, nor another’s at all', async () => {
  await refuse(site, 401, () =>
    site.post('users/password_update', { password: 'wrong', new_password: 'another one' }, { as: 'readonly' }),
  )
  await site.post('users/create', { username: 'changer', password: 'the first one', permission: 1 })
  const change = await site.post(
    'users/password_update',
    { password: 'the first one', new_password: 'the second one', username: 'admin' },
    { as: 'changer', password: 'the first one' },
  )
  expect([change.status, change.body.username]).toEqual([200, 'changer'])
  expect((await ping(basic('changer', 'the first one'))).status).toBe(401)
  expect((await ping(basic('changer', 'the second one'))).status).toBe(200)
  expect((await ping(basic('admin'))).status).toBe(200)
})

attack('users', 'the last administrator stays, whoever asks and however', async () => {
  await using own = await openSite()
  const users = ['admin', 'second'] as const
  await addUser(own.librarian, 'second', 'ADMIN')
  for (const as of users) await refuse(own, 409, () => own.post('users/delete', { username: as }, { as }))
  // Of two who remove each other at once, one stays.
  await Promise.all([
    own.post('users/delete', { username: 'admin' }, { as: 'second' }),
    own.post('users/delete', { username: 'second' }, { as: 'admin' }),
  ])
  const left = own.rows("SELECT username FROM account WHERE auth_level = 'ADMIN'").map(row => String(row.username))
  expect(left).toHaveLength(1)
  const [as = ''] = left
  for (const permission of [0, 4]) {
    await refuse(own, 409, () => own.post('users/update', { username: as, permission }, { as }))
  }
})

attack('users', 'the name of a removed user stays taken: its files stay its own', async () => {
  await site.post('users/create', { username: 'reused', password: 'long enough', permission: 3 })
  await site.post('users/delete', { username: 'reused' })
  await refuse(site, 400, () =>
    site.post('users/create', { username: 'reused', password: 'long enough', permission: 3 }),
  )
  await refuse(site, 400, () => site.post('users/update', { username: 'reused', password: 'long enough' }))
})

for (const permission of [5, -1, 99, 101, 'ADMIN', '100', true, 1.5, {}]) {
  attack('users', `${JSON.stringify(permission)} is no level`, async () => {
    await refuse(site, 422, () => site.post('users/create', { username: 'x', password: 'long enough', permission }))
  })
}

test('every refused act of an administrator stands in the audit', async () => {
  await site.post('users/update', { username: 'admin', permission: 1 })
  const [entry] = await site.librarian.catalogue.audit.list({ limit: 1 })
  expect(entry).toMatchObject({ actor: 'admin', action: 'users/update', subject: 'admin' })
  expect(JSON.parse(entry!.detail)).toMatchObject({ outcome: 'refused' })
})
