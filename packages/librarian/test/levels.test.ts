/** Every endpoint × every level (reliability F3): the table decides, and nothing else does. */
import { type Endpoint, levelNames, levels } from '@arriero/api'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isUnserved } from '../src/app/unserved.ts'
import { allEndpoints } from '../src/app.ts'
import { openTestHouse, type TestHouse } from './house.ts'

let house: TestHouse
beforeAll(async () => {
  house = await openTestHouse()
})
afterAll(() => house[Symbol.asyncDispose]())

const served = allEndpoints().filter(endpoint => !isUnserved(endpoint))
const rows = served.flatMap(endpoint => levelNames.map(level => ({ path: endpoint.path, endpoint, level })))

/** Never valid: whoever passes the door is refused for this, and nothing is changed. */
const nonsense = '[]'

describe.each(rows)('$path as $level', ({ endpoint, level }) => {
  const passes = levels[level] >= levels[endpoint.level]

  test(passes ? 'is let in' : 'is refused like a wrong password, before its body is looked at', async () => {
    const { status, body } = await house.post(endpoint.path, nonsense, level)
    if (passes) expect(status).toBe(422)
    else expect([status, body]).toEqual([401, { detail: 'Incorrect username or password' }])
  })
})

test.each(served.map(endpoint => [endpoint.path, endpoint] as const))(
  '%s answers 401 without credentials, 422 to broken JSON even then, and 405 to a GET',
  async (path: string, endpoint: Endpoint) => {
    const nobody = await house.post(path, '{}', '')
    expect([nobody.status, nobody.body, nobody.headers['www-authenticate']]).toEqual([
      401,
      { detail: 'Not authenticated' },
      'Basic',
    ])
    const broken = await house.post(path, '{"a":', '')
    expect(broken.status).toBe(422)
    expect(JSON.parse(broken.body.detail)).toMatchObject({ reason: expect.stringContaining('JSON') })
    for (const each of [path, ...(endpoint.aliases ?? [])]) {
      const got = await house.app.inject({ method: 'GET', url: `/api/v2/${each}` })
      expect([got.statusCode, got.headers.allow, got.json()]).toEqual([405, 'POST', { detail: 'Method Not Allowed' }])
    }
  },
)

test('endpoints that this release lacks are unknown paths, to administrators too', async () => {
  for (const { path } of allEndpoints().filter(isUnserved)) {
    const { status, body } = await house.post(path, {})
    expect([path, status, body]).toEqual([path, 404, { detail: 'Not Found' }])
  }
})

test('every privileged call leaves an entry in the audit, refused ones too', async () => {
  await house.post('users/delete', { username: 'nobody' })
  await house.post('users/create', { username: 'audited', password: 'hush hush', permission: 1 })
  const entries = await house.catalogue.audit.list({})
  expect(entries.map(({ actor, action, subject }) => [actor, action, subject])).toEqual([
    ['admin', 'users/create', 'audited'],
    ['admin', 'users/delete', 'nobody'],
  ])
  expect(JSON.parse(entries[1]!.detail)).toMatchObject({ outcome: 'refused', code: 'NotFound' })
  expect(JSON.parse(entries[0]!.detail)).toMatchObject({ outcome: 'done', request: { password: '***' } })
  expect(JSON.stringify(entries)).not.toContain('hush')
})
