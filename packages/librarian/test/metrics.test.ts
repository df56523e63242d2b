/** What Prometheus reads of a running librarian. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createMetrics } from '../src/metrics/create-metrics.ts'
import type { Figures } from '../src/services/figures/figures.ts'
import type { Site } from './attacks/site.ts'
import { openSite } from './attacks/site.ts'
import { lint, parseExposition } from './exposition.ts'
import { basic, passwordOf } from './house.ts'
import { labelsOf, openWatchedSite, sampleOf, scrape } from './watched-site.ts'

describe('the exposition', () => {
  let site: Site
  beforeAll(async () => {
    site = await openWatchedSite()
  }, 60_000)
  afterAll(() => site[Symbol.asyncDispose]())

  test('keeps to the format and to Prometheus’ conventions', async () => {
    const families = await scrape(site)
    expect(lint(families)).toEqual([])
    expect(families.size).toBeGreaterThan(40)
  })

  test('tells what happened: requests, commits, copies, transfers, tasks, errors, stores', async () => {
    const { status } = await site.post('search/file', { name: 'nothing' }, { as: 'readonly' })
    await site.call('GET', '/no/such/path?token=1', { as: '' })
    await expect
      .poll(async () => sampleOf(await scrape(site), 'arriero_http_requests_total', { route: 'other' }))
      .toBeGreaterThan(0)
    const all = await scrape(site)
    const value = (name: string, labels: Record<string, string> = {}) => sampleOf(all, name, labels)
    const searched = { method: 'POST', route: '/api/v2/search/file' }
    expect(value('arriero_http_requests_total', { ...searched, status: `${Math.floor(status / 100)}xx` })).toBe(1)
    expect(value('arriero_http_request_duration_seconds_count', searched)).toBe(1)
    expect(value('arriero_http_sent_bytes_total', { route: '/api/v2/upload/stage' })).toBeGreaterThan(100)
    expect(value('arriero_commits_total', { origin: 'staging', outcome: 'committed' })).toBe(1)
    expect(value('arriero_committed_bytes_total', { origin: 'staging' })).toBe(14)
    expect(value('arriero_files')).toBe(1)
    expect(value('arriero_copies', { store: 'files', state: 'ok' })).toBe(1)
    expect(value('arriero_oldest_proof_age_seconds', { store: 'files' })).toBeLessThan(600)
    expect(value('arriero_transfers', { direction: 'in', state: 'completed' })).toBe(1)
    expect(value('arriero_backlog_files', { destination: 'far' })).toBe(1)
    expect(value('arriero_backlog_bytes', { destination: 'far' })).toBe(14)
    expect(value('arriero_messages_waiting', { peer: 'far' })).toBe(0)
    expect(value('arriero_errors_open', { severity: 'warning' })).toBe(1)
    expect(value('arriero_store_available', { store: 'files' })).toBe(1)
    expect(value('arriero_store_total_bytes', { store: 'files' })).toBeGreaterThan(
      value('arriero_store_free_bytes', { store: 'files' }),
    )
    expect(value('arriero_task_last_outcome', { kind: 'repair', task: 'mend', outcome: 'done' })).toBe(1)
    expect(value('arriero_task_runs_total', { kind: 'repair', outcome: 'done' })).toBeGreaterThan(0)
    expect(value('arriero_task_overdue_seconds', { kind: 'repair', task: 'mend' })).toBeLessThan(60)
    expect(value('arriero_catalogue_up')).toBe(1)
    expect(value('arriero_catalogue_size_bytes')).toBeGreaterThan(10_000)
    expect(value('process_resident_memory_bytes')).toBeGreaterThan(10_000_000)
    expect(value('arriero_build_info', { database: 'sqlite', role: 'all' })).toBe(1)
  })

  test('names no file, no user and no secret, whatever callers send', async () => {
    const mark = 'canary7f3c'
    await site.keep(`${mark}/file`, 'x', 'readappend')
    await site.post('users/create', { username: mark, password: `${mark}!`, permission: 3 })
    await site.post(`search/file?token=${mark}`, { name: mark }, { as: mark, password: `${mark}!` })
    await site.post('ping/logged', {}, { as: mark, password: `${mark}?` })
    await site.call('GET', `/api/v2/data/${mark}/file`)
    await site.call('GET', `/${mark}`, { headers: { 'x-request-id': mark } })
    await site.call('PROPFIND', `/api/v2/data/${mark}`)
    const { text } = await site.call('GET', `/metrics?${mark}`, { as: '', headers: { 'user-agent': mark } })
    expect(text).toContain('arriero_http_requests_total')
    for (const secret of [mark, passwordOf('admin'), 'word of far', 'obs/a.fits', 'readappend']) {
      expect(text).not.toContain(secret)
    }
  })

  test('has few series, and no more for more files, users and paths', async () => {
    const count = async () => [...(await scrape(site)).values()].reduce((sum, { samples }) => sum + samples.length, 0)
    await scrape(site)
    const before = await count()
    for (let at = 0; at < 20; at++) {
      await site.call('GET', `/api/v2/nowhere/${at}`)
      await site.call('GET', '/metrics', { as: '' })
    }
    expect(before).toBeLessThan(1500)
    expect(await count()).toBeLessThan(before + 40)
  })

  test('has the labels that the manual and dashboards may use', async () => {
    for (const [name, family] of await scrape(site)) {
      expect(family.samples.length, `${name} has no sample`).toBeGreaterThan(0)
      expect(labelsOf(family).length).toBeLessThanOrEqual(3 + Number(name.endsWith('_info')))
    }
  })
})

test('a task that is due and that nobody begins is overdue, one that has time or runs is not', async () => {
  const task = (name: string, state: string, next_run: string | null) => {
    return {
      id: name,
      kind: 'send_clone',
      name,
      state,
      next_run,
      started: null,
      ended: null,
      outcome: null,
      note: null,
      counts: '{}',
    }
  }
  const tasks = [
    task('due', 'waiting', '2026-03-01T11:50:00.000000Z'),
    task('later', 'waiting', '2026-03-01T12:10:00.000000Z'),
    task('runs', 'running', null),
  ]
  const standing = {
    value: { now: '2026-03-01T12:00:00.000000Z', errors: [], trash: {}, messages: [], peers: [], tasks },
    ageMs: 0,
  }
  using metrics = createMetrics({
    figures: async () => ({ standing }) as unknown as Figures,
    stores: { byId: () => undefined },
    build: {},
  })
  const all = parseExposition(await metrics.expose())
  const overdue = (name: string) => sampleOf(all, 'arriero_task_overdue_seconds', { kind: 'send_clone', task: name })
  expect([overdue('due'), overdue('later')]).toEqual([600, 0])
  expect(all.get('arriero_task_overdue_seconds')?.samples).toHaveLength(2)
})

describe('who may scrape', () => {
  const forwarded = { 'x-forwarded-for': '203.0.113.9' }

  test('by default this machine, and elsewhere whoever may read', async () => {
    await using site = await openSite()
    const scrapeAs = async (as: string, headers: Record<string, string> = {}) =>
      (await site.call('GET', '/metrics', { as, headers })).status
    expect(await scrapeAs('')).toBe(200)
    // A proxy of this machine brings people from anywhere.
    expect(await scrapeAs('', forwarded)).toBe(401)
    expect(await scrapeAs('none', forwarded)).toBe(401)
    expect(await scrapeAs('readonly', forwarded)).toBe(200)
    expect(await scrapeAs('', { via: '1.1 proxy' })).toBe(401)
    expect(
      (await site.call('GET', '/metrics', { as: '', headers: { authorization: basic('admin', 'no') } })).status,
    ).toBe(200)
  })

  test('with a proxy that is trusted, the address that it tells counts', async () => {
    await using site = await openSite({
      settings: { trusted_proxies: ['127.0.0.1'], metrics: { addresses: ['203.0.113.0/24'] } },
    })
    const scrapeFrom = async (address: string) =>
      (await site.call('GET', '/metrics', { as: '', headers: { 'x-forwarded-for': address } })).status
    expect(await scrapeFrom('203.0.113.9')).toBe(200)
    expect(await scrapeFrom('198.51.100.1')).toBe(401)
    expect((await site.call('GET', '/metrics', { as: '' })).status).toBe(401)
  })

  test('nobody without an account, where the settings say so', async () => {
    await using site = await openSite({ settings: { metrics: { addresses: [] } } })
    expect((await site.call('GET', '/metrics', { as: '' })).status).toBe(401)
    expect((await site.call('GET', '/metrics', { as: 'readonly' })).status).toBe(200)
  })
})

describe('a scrape', () => {
  test('with a catalogue that does not answer still tells of the process', async () => {
    await using site = await openSite()
    const { catalogue } = site.librarian
    const broken = () => Promise.reject(new Error('away'))
    Object.assign(catalogue.figures, { copies: broken, transfers: broken, standing: broken })
    const all = parseExposition((await site.call('GET', '/metrics', { as: '' })).text)
    expect(sampleOf(all, 'arriero_catalogue_up')).toBe(0)
    expect(sampleOf(all, 'arriero_files')).toBeNaN()
    expect(all.get('arriero_copies')?.samples).toEqual([])
    expect(sampleOf(all, 'process_resident_memory_bytes')).toBeGreaterThan(0)
    expect(lint(all)).toEqual([])
  })
})
