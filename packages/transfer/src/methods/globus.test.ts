import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  type Fault,
  fail,
  fault,
  type GlobusServer,
  type GlobusTask,
  startGlobusServer,
} from '../../test/globus-server.ts'
import { ManualClock } from '../../test/manual-clock.ts'
import { describeMethod, settled } from '../../test/method-suite.ts'
import type { Method, MethodItem, MethodState } from '../method.ts'
import { fatalFaults } from './globus/faults.ts'
import { createGlobusMethod, type GlobusMethodOptions } from './globus.ts'

const here = randomUUID()
const there = randomUUID()
const offered = {
  destination_endpoint: there,
  native_app: false,
  transfer_attempted: false,
  transfer_complete: false,
  task_id: '',
}

interface Setting extends AsyncDisposable {
  readonly server: GlobusServer
  readonly place: string
  readonly options: GlobusMethodOptions
}

async function makeSetting(nativeApp: boolean): Promise<Setting> {
  const place = await mkdtemp(join(tmpdir(), 'arriero-globus-'))
  for (const name of ['sources', 'far']) await mkdir(join(place, name))
  const server = await startGlobusServer()
  const { origin, identities, tasks } = server
  tasks.endpoints.set(here, join(place, 'sources'))
  tasks.endpoints.set(there, join(place, 'far'))
  return {
    server,
    place,
    options: {
      localEndpointId: here,
      clientId: identities.clientId,
      nativeApp,
      clientSecret: () => (nativeApp ? identities.refreshToken : identities.clientSecret),
      localRoot: join(place, 'sources'),
      services: { auth: origin, transfer: origin },
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      await rm(place, { recursive: true })
    },
  }
}

describe.each([
  ['a person who has consented', true],
  ['a client of its own', false],
])('as %s', (_, nativeApp) => {
  describeMethod('createGlobusMethod()', {
    async make() {
      const setting = await makeSetting(nativeApp)
      const { server, place, options } = setting
      return {
        method: createGlobusMethod(options),
        open: () => createGlobusMethod(options),
        offered,
        unusable: { ...offered, destination_endpoint: '' },
        sources: join(place, 'sources'),
        target: name => `/staging/${name}`,
        arrived: name => join(place, 'far/staging', name),
        hold: isHeld => (server.tasks.isHeld = isHeld),
        [Symbol.asyncDispose]: () => setting[Symbol.asyncDispose](),
      }
    },
  })

  test('one login serves many calls, and is renewed before its end and when it is not taken any more', async () => {
    await using setting = await makeSetting(nativeApp)
    const { server, options } = setting
    const clock = new ManualClock()
    const method = createGlobusMethod({ ...options, clock })
    const item = await put(setting, 'one')
    const state = await method.transfer([item], { state: offered })
    await settled(method, state)
    await Promise.all([1, 2, 3].map(() => method.status(state)))
    expect(server.identities.given).toBe(1)
    await clock.advance((server.identities.lifetime - 61) * 1000)
    await method.status(state)
    expect(server.identities.given).toBe(1)
    await clock.advance(2000)
    await Promise.all([1, 2, 3].map(() => method.status(state)))
    expect(server.identities.given).toBe(2)
    server.identities.expireAll()
    expect(await method.status(state)).toEqual({ status: 'complete' })
    expect(server.identities.given).toBe(3)
  })

  test('credentials that are not taken: nothing is begun, and what was begun is unknown', async () => {
    await using setting = await makeSetting(nativeApp)
    const secret = 'Canary-9f8e7d6c5b4a'
    const method = createGlobusMethod({ ...setting.options, clientSecret: () => secret })
    const failure = await method.transfer([await put(setting, 'one')], { state: offered }).catch(error => error)
    expect(failure).toMatchObject({ code: 'Denied', retriable: false })
    const standing = await method.status({ ...offered, transfer_attempted: true, task_id: randomUUID() })
    expect(standing).toMatchObject({ status: 'unknown' })
    await expect(method.cancel({ ...offered, task_id: 'x' })).rejects.toMatchObject({ code: 'Denied' })
    await expect(method.details({ ...offered, task_id: 'x' })).rejects.toMatchObject({ code: 'Denied' })
    const basic = Buffer.from(`${setting.options.clientId}:${secret}`).toString('base64')
    for (const shown of [inspect(failure, { depth: 9 }), JSON.stringify(failure), inspect(standing), inspect(method)]) {
      expect(shown).not.toContain(secret)
      expect(shown).not.toContain(basic)
    }
  })
})

async function put({ place }: Setting, name: string): Promise<MethodItem> {
  await writeFile(join(place, 'sources', name), name)
  return { source: join(place, 'sources', name), target: `/staging/${name}`, size: name.length, isTree: false }
}

describe('createGlobusMethod()', () => {
  let setting: Setting
  let server: GlobusServer
  let method: Method

  beforeEach(async () => {
    setting = await makeSetting(false)
    server = setting.server
    method = createGlobusMethod(setting.options)
  })
  afterEach(() => setting[Symbol.asyncDispose]())

  async function held(): Promise<{ readonly state: MethodState; readonly task: GlobusTask }> {
    server.tasks.isHeld = true
    const state = await method.transfer([await put(setting, 'one')], { state: offered })
    return { state, task: server.tasks.all[0] as GlobusTask }
  }

  const submitted = () =>
    server.requests.filter(({ path }) => path === '/v0.10/transfer').map(({ body }) => JSON.parse(body))

  test('a batch is what librarian 9.3 says', async () => {
    await mkdir(join(setting.place, 'sources/run/tree'), { recursive: true })
    const tree = {
      source: join(setting.place, 'sources/run/tree'),
      target: '/staging/u/run/tree',
      size: 0,
      isTree: true,
    }
    const one = await put(setting, 'one (1) é')
    await method.transfer([one, tree], { state: offered })
    await method.transfer([tree], { state: offered })
    await createGlobusMethod({ ...setting.options, localRoot: undefined, encryptTransfers: false }).transfer([one], {
      state: offered,
      label: 'To the archive: 7',
    })
    const [batch, single, plain] = submitted()
    expect(batch).toEqual({
      DATA_TYPE: 'transfer',
      submission_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      source_endpoint: here,
      destination_endpoint: there,
      label: 'batch with one _1_ _',
      sync_level: 0,
      verify_checksum: true,
      preserve_timestamp: true,
      notify_on_succeeded: false,
      skip_source_errors: false,
      fail_on_quota_errors: true,
      encrypt_data: true,
      DATA: [
        {
          DATA_TYPE: 'transfer_item',
          source_path: 'one (1) é',
          destination_path: '/staging/one (1) é',
          recursive: false,
        },
        {
          DATA_TYPE: 'transfer_item',
          source_path: 'run/tree',
          destination_path: '/staging/u/run/tree',
          recursive: true,
        },
      ],
    })
    expect(single.label).toBe('tree')
    expect(plain).toMatchObject({
      label: 'To the archive_ 7',
      encrypt_data: false,
      DATA: [{ source_path: one.source }],
    })
    expect(new Set(submitted().map(({ submission_id }) => submission_id)).size).toBe(3)
  })

  test('a source that the endpoint does not show is refused before anything is asked', async () => {
    const item = { source: `${setting.place}/sources2/x`, target: '/x', size: 1, isTree: false }
    await expect(method.transfer([item], { state: offered })).rejects.toMatchObject({ code: 'Usage' })
    expect(server.requests).toEqual([])
  })

  test('the state has the task, and what it did not know stays', async () => {
    const { state, task } = await held()
    expect(state).toEqual({ ...offered, transfer_attempted: true, task_id: task.id })
    const other = await method.transfer([await put(setting, 'two')], { state: { ...offered, from_tomorrow: 1 } })
    expect(other.from_tomorrow).toBe(1)
  })

  test('the record has what the service says', async () => {
    const { state, task } = await held()
    task.status = 'SUCCEEDED'
    task.bytes = 5_000_000
    Object.assign(task, { requested: new Date('2026-11-20T22:00:00Z'), completed: new Date('2026-11-20T22:01:40Z') })
    expect(await method.details(state)).toEqual({
      taskId: task.id,
      sourceEndpoint: here,
      destinationEndpoint: there,
      startTime: '2026-11-20T22:00:00.000Z',
      endTime: '2026-11-20T22:01:40.000Z',
      duration: 100,
      bytes: 5_000_000,
      bandwidth: 50_000,
    })
  })

  test('faults that pass leave it running, also many', async () => {
    const { state, task } = await held()
    for (let count = 0; count < 30; count++) fault(task, 'CONNECTION_RESET', 'the other side went away')
    expect(await method.status(state)).toEqual({ status: 'running' })
    task.status = 'INACTIVE'
    expect(await method.status(state)).toEqual({ status: 'running' })
    server.tasks.goOn(Object.assign(task, { status: 'ACTIVE' }))
    expect(await settled(method, state)).toEqual({ status: 'complete' })
    expect(await readFile(join(setting.place, 'far/staging/one'), 'utf8')).toBe('one')
  })

  test.each([...fatalFaults])('%s is a failure, also below thirty younger faults that pass', async code => {
    const { state, task } = await held()
    fault(task, code, 'it says why')
    for (let count = 0; count < 30; count++) fault(task, 'TIMEOUT', 'slow')
    const standing = await method.status(state)
    expect(standing).toEqual({ status: 'failed', reason: `Globus met a fault that stays: ${code}: it says why` })
  })

  test('the fatal faults are those of librarian 9.3', () => {
    expect(fatalFaults.size).toBe(13)
  })

  test('a task that was given up tells why', async () => {
    const { state, task } = await held()
    fail(task, 'ENDPOINT_DELETED', 'It is gone; Authorization: Bearer abcdefgh1234')
    const standing = await method.status(state)
    expect(standing).toEqual({
      status: 'failed',
      reason: 'Globus gave it up: ENDPOINT_DELETED: It is gone; Authorization: ***: ENDPOINT_DELETED',
    })
  })

  test('a task that it does not know has failed, and may be cancelled', async () => {
    const state = { ...offered, transfer_attempted: true, task_id: '../../odd id?' }
    expect(await method.status(state)).toMatchObject({
      status: 'failed',
      reason: expect.stringContaining('TaskNotFound'),
    })
    await method.cancel(state)
    expect(server.requests.at(-1)?.path).toBe('/v0.10/task/..%2F..%2Fodd%20id%3F/cancel')
  })

  test('one that was attempted and has no task has failed', async () => {
    expect(await method.status({ ...offered, transfer_attempted: true })).toMatchObject({ status: 'failed' })
  })

  const refusal = (status: number, headers = {}): Fault => ({
    status,
    headers,
    document: { code: 'Odd', message: 'not now' },
  })

  test.each<[string, Fault]>([
    ['429', refusal(429, { 'retry-after': '30' })],
    ['503', refusal(503)],
    ['500', refusal(500)],
    ['403', refusal(403)],
    ['401 again and again', refusal(401)],
    ['nothing', 'unheard'],
    ['what is no document', { status: 200, document: ['<html>'] }],
  ])('when it answers %s, nobody knows how it stands', async (_, given) => {
    const { state } = await held()
    server.onRequest = ({ path }) => (path.includes('/task/') ? given : undefined)
    expect(await method.status(state)).toMatchObject({
      status: 'unknown',
      reason: expect.stringContaining('Cannot ask Globus'),
    })
    server.onRequest = undefined
    expect(await method.status(state)).toEqual({ status: 'running' })
  })

  test.each<[string, Fault, object]>([
    ['429', refusal(429, { 'retry-after': '30' }), { code: 'Throttled', retriable: true }],
    ['503', refusal(503), { code: 'Network', retriable: true }],
    ['400', refusal(400), { code: 'Unsupported', retriable: false }],
    ['403', refusal(403), { code: 'Denied', retriable: false }],
  ])('a submission that is answered %s was not begun', async (_, given, expected) => {
    server.onRequest = ({ path }) => (path === '/v0.10/transfer' ? given : undefined)
    const before = Date.now()
    const failure = await method.transfer([await put(setting, 'one')], { state: offered }).catch(error => error)
    expect(failure).toMatchObject(expected)
    if (failure.code === 'Throttled') expect(failure.details.until - before).toBeGreaterThan(29_000)
    expect(server.tasks.all).toEqual([])
  })

  test('a submission whose answer is lost is one task', async () => {
    let times = 0
    server.onRequest = ({ path }) => (path === '/v0.10/transfer' && ++times < 3 ? 'lost' : undefined)
    const state = await method.transfer([await put(setting, 'one')], { state: offered })
    expect(times).toBe(3)
    expect(server.tasks.all.map(({ id }) => id)).toEqual([state.task_id])
  })

  test('a service that never answers is given up', async () => {
    const patient = createGlobusMethod({ ...setting.options, timeoutMs: 50, fetch: hangingFetch })
    expect(await patient.status({ ...offered, task_id: 'x' })).toMatchObject({
      status: 'unknown',
      reason: expect.stringContaining('50 ms'),
    })
    const ending = new AbortController()
    const waiting = createGlobusMethod({ ...setting.options, fetch: hangingFetch }).status(
      { ...offered, task_id: 'x' },
      { signal: ending.signal },
    )
    ending.abort(new Error('stop'))
    await expect(waiting).rejects.toThrow('stop')
  })

  test('a redirect is followed nowhere, with its token least of all', async () => {
    const { state } = await held()
    await using other = await startGlobusServer()
    server.onRequest = () => ({ status: 307, headers: { location: `${other.origin}/v0.10/task/x` }, document: {} })
    expect(await method.status(state)).toMatchObject({ status: 'unknown' })
    expect(other.requests).toEqual([])
  })

  test('it is asked where Globus is', async () => {
    const asked: string[] = []
    const method = createGlobusMethod({
      ...setting.options,
      services: undefined,
      fetch: async url => {
        asked.push(String(url))
        const token = { resource_server: 'transfer.api.globus.org', access_token: 't', expires_in: 100 }
        return Response.json({ ...token, value: 'v', task_id: 't1', status: 'ACTIVE' })
      },
    })
    await method.status(await method.transfer([await put(setting, 'one')], { state: offered }))
    expect(asked).toEqual([
      'https://auth.globus.org/v2/oauth2/token',
      'https://transfer.api.globus.org/v0.10/submission_id',
      'https://transfer.api.globus.org/v0.10/transfer',
      'https://transfer.api.globus.org/v0.10/task/t1',
    ])
  })

  test.each([
    [{ localEndpointId: '' }, 'globus_local_endpoint_id'],
    [{ clientId: '' }, 'globus_client_id'],
  ])('without %j it is not valid', (lacking, told) => {
    expect(createGlobusMethod({ ...setting.options, ...lacking }).whyNot(offered)).toContain(told)
  })
})

const hangingFetch: typeof fetch = (_, init) =>
  new Promise((_, reject) => init?.signal?.addEventListener('abort', () => reject(init.signal?.reason)))
