/** Lines of the log of a running librarian: which call, and which transfer, each belongs to. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openSite, type Site } from './attacks/site.ts'

let site: Site
beforeAll(async () => {
  site = await openSite()
}, 60_000)
afterAll(() => site[Symbol.asyncDispose]())

const lines = () => site.logged.map(line => JSON.parse(line) as Record<string, unknown>)

test('a failure is told with the request that its caller was told, and its transfer', async () => {
  const staged = await site.stage('never/put', 'bytes that nobody brings')
  const { status, headers } = await site.commit(staged)
  expect(status).toBeGreaterThanOrEqual(400)
  const request = headers.get('x-request-id')
  const own = lines().filter(line => line.request === request)
  expect(own).toContainEqual(
    expect.objectContaining({ path: '/api/v2/upload/commit', transfer: staged.body.transfer_id, status }),
  )
  expect(own.every(({ transfer }) => transfer === undefined || transfer === staged.body.transfer_id)).toBe(true)
})

test('a line that a service writes names the request, though the service knows nothing of it', async () => {
  const { headers: failed } = await site.post('ping/logged', {}, { password: 'wrong' })
  expect(lines()).toContainEqual(
    expect.objectContaining({ msg: 'A sign-in failed', request: failed.get('x-request-id') }),
  )
})

test('every request is a line when it has ended, by its route and not by what its caller wrote', async () => {
  const { headers } = await site.call('GET', '/api/v2/data/some/name?token=canary', { as: 'readonly' })
  const ended = { msg: 'a request has ended', level: 'debug', request: headers.get('x-request-id'), method: 'GET' }
  await expect
    .poll(lines)
    .toContainEqual(expect.objectContaining({ ...ended, path: '/api/v2/data/*', status: 404, ms: expect.any(Number) }))
  expect(site.logged.join('')).not.toContain('canary')
})
