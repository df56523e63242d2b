/** What can be asked (reliability 6): values are values, limits are ours, and no pattern costs more than its length. */
import { afterAll, beforeAll, expect } from 'vitest'
import { attack, refuse, shown } from './attack.ts'
import { openSite, type Site } from './site.ts'

let site: Site
const long = `${'a'.repeat(250)}`
beforeAll(async () => {
  site = await openSite({ settings: { max_search_results: 5 } })
  for (let at = 0; at < 8; at++) expect((await site.keep(`kept/${at}`, `${at}`)).status).toBe(200)
  for (const name of [long, 'per%cent', 'under_score', 'a[b]c', "quo'te"])
    expect((await site.keep(name, name)).status).toBe(200)
})
afterAll(() => site[Symbol.asyncDispose]())

const search = (question: object, as = 'readonly') => site.post('search/file', question, { as })

for (const name of [
  "' OR '1'='1",
  "kept/1'; DROP TABLE file; --",
  "kept/1' UNION SELECT username, auth_token FROM account --",
  'kept/%',
  'kept/_',
  'kept/1\0',
  '%',
  '*',
  `"; ATTACH DATABASE '/tmp/x' AS x; --`,
]) {
  for (const field of ['name', 'uploader', 'source', 'checksum']) {
    attack('search', `${field} ${shown(name)} is a value, and nobody’s`, async () => {
      await refuse(site, 404, () => search({ [field]: name }))
    })
  }
}

for (const [glob, found] of [
  ['per%cent', ['per%cent']],
  ['%', []],
  ['under_score', ['under_score']],
  ['under?score', ['under_score']],
  ['_ept/1', []],
  ['a[b]c', ['a[b]c']],
  ['a[a-z]c', []],
  ["quo'*", ["quo'te"]],
  ['kept/\\*', []],
  ['KEPT/*', []],
] as const) {
  attack('search', `in the pattern ${shown(glob)} only stars and question marks are more than themselves`, async () => {
    const { status, body } = await search({ name_glob: glob })
    expect(status).toBe(found.length === 0 ? 404 : 200)
    expect(found.length === 0 ? [] : body.map((file: { name: string }) => file.name)).toEqual(found)
  })
}

for (const glob of [
  `${'*a'.repeat(120)}*b`,
  `${'a*'.repeat(120)}b`,
  `${'?*'.repeat(120)}b`,
  `${'*'.repeat(255)}b`,
  `*${'a'.repeat(200)}*b`,
]) {
  attack('search', `the pattern ${shown(glob)} is answered in time`, async () => {
    const start = performance.now()
    await refuse(site, 404, () => search({ name_glob: glob }))
    expect(performance.now() - start).toBeLessThan(3000)
  })
}

for (const glob of ['', 'x'.repeat(257)]) {
  attack('search', `the pattern ${shown(glob)} is refused`, async () => {
    await refuse(site, 422, () => search({ name_glob: glob }))
  })
}

for (const max_results of [6, 1000, 1_000_000, 9_007_199_254_740_991]) {
  attack('search', `${max_results} results are no more than the server gives`, async () => {
    expect((await search({ max_results })).body).toHaveLength(5)
  })
}

for (const max_results of [0, -1, -9_007_199_254_740_991]) {
  attack('search', `${max_results} results are none`, async () => {
    await refuse(site, 404, () => search({ max_results }))
  })
}

for (const [what, question] of [
  ['a limit that is a text of SQL', { max_results: '1; DROP TABLE file' }],
  ['a name that is an object', { name: { $ne: null } }],
  ['a name that is a list', { name: ['kept/1'] }],
  ['a window of one', { create_time_window: ['2026-01-01'] }],
  ['a window of three', { create_time_window: ['2026-01-01', '2026-01-02', '2026-01-03'] }],
  ['a window of no times', { create_time_window: ['yesterday', "'; --"] }],
  ['a year beyond all', { create_time_window: ['2026-01-01', '+275761-01-01T00:00:00Z'] }],
  ['a size window of texts', { size_window: ['a', 'b'] }],
  ['a place to go on from that is none', { after: 'kept/1' }],
  ['a place to go on from without a name', { after: { create_time: '2026-01-01' } }],
] as const) {
  attack('search', `${what}: 422`, async () => {
    await refuse(site, 422, () => search(question))
  })
}

attack('search', 'an order that somebody asks for is none of ours', async () => {
  const { body } = await search({ name_glob: 'kept/*', order_by: 'name; DROP TABLE file', sort: 'auth_token' })
  expect(body.map(({ name }: { name: string }) => name)).toEqual([7, 6, 5, 4, 3].map(at => `kept/${at}`))
})

attack('search', 'pages by their last file meet every file once, while others come in', async () => {
  const met: string[] = []
  for (let after: object | undefined; ; ) {
    const { status, body } = await search({ name_glob: 'kept/*', max_results: 3, ...(after ? { after } : {}) })
    if (status === 404) break
    met.push(...body.map(({ name }: { name: string }) => name))
    const last = body.at(-1)
    after = { create_time: last.create_time, name: last.name }
    await site.keep(`kept-later/${met.length}`, 'x')
  }
  expect(met).toEqual([7, 6, 5, 4, 3, 2, 1, 0].map(at => `kept/${at}`))
})

attack('search', 'errors, copies and users are for administrators alone', async () => {
  for (const path of ['search/error', 'search/instance_local', 'search/instance_remote', 'users/list']) {
    await refuse(site, 401, () => site.post(path, {}, { as: 'readwrite' }))
  }
})

for (const [path, field] of [
  ['search/error', 'category'],
  ['search/error', 'severity'],
  ['search/instance_local', 'deletion_policy'],
] as const) {
  attack('search', `${path}: a ${field} that is none: 422`, async () => {
    await refuse(site, 422, () => site.post(path, { [field]: "' OR 1=1" }))
  })
}

attack('search', 'lists of users and transfers have pages of a thousand at most', async () => {
  const users = await site.post('users/list', { max_results: 9_007_199_254_740_991 })
  expect(users.status).toBe(200)
  expect(users.body.users.length).toBeLessThanOrEqual(1000)
  const transfers = await site.post('transfers/list', { max_results: 9_007_199_254_740_991 })
  expect(transfers.status).toBe(200)
  expect(transfers.body.transfers.length).toBeLessThanOrEqual(1000)
})
