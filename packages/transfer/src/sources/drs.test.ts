import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { faults, startCommons, type Commons as TestCommons } from '../../test/commons-server.ts'
import { testData } from '../../test/data.ts'
import { listAll } from '../../test/list-suite.ts'
import { sourceContext } from '../../test/source-context.ts'
import { describeSource, expectSame } from '../../test/source-suite.ts'
import { readCredentials } from '../commons/credentials.ts'
import type { CommonsOptions } from '../commons/options.ts'
import { download } from '../download.ts'
import { downloadAll } from '../download-all.ts'
import { createEngine, type Engine } from '../engine.ts'
import { TransferError } from '../errors.ts'
import { list } from '../list.ts'
import { openDrsSource } from './drs.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arriero-drs-'))
})
afterEach(() => rm(directory, { recursive: true }))

async function credentialOf(commons: TestCommons, options = {}) {
  const path = join(directory, `credentials-${commons.host}.json`)
  await writeFile(path, JSON.stringify(commons.credentials(options)), { mode: 0o600 })
  return (await readCredentials(path)).credential
}

async function loggedIn(commons: TestCommons, more: CommonsOptions = {}): Promise<CommonsOptions> {
  return { credentials: [await credentialOf(commons)], ...more }
}

async function fetchTo(uri: string, engine: Engine, commons: CommonsOptions, more = {}) {
  const path = join(directory, `file-${Math.random()}`)
  const result = await download(uri, path, { engine, commons, ...more })
  return { ...result, content: await readFile(path) }
}

async function failing(uri: string, engine: Engine, commons: CommonsOptions, more = {}): Promise<TransferError> {
  const error = await fetchTo(uri, engine, commons, more).catch(error => error)
  expect(error).toBeInstanceOf(TransferError)
  expect(error.message).not.toMatch(/eyJ|Signature=[^*]/)
  return error
}

describeSource('openDrsSource()', {
  make: async content => {
    const commons = await startCommons()
    let added = commons.add({ content })
    const { guid } = added
    const context = sourceContext({ commons: { home: commons.origin, credentials: [credential(commons)] } })
    return {
      source: await openDrsSource(added.drsUri, context),
      change: other => {
        added = commons.add({ id: guid, content: other })
      },
      remove: () => {
        commons.remove(guid)
        commons.fault(guid, { status: 404 })
      },
      [Symbol.asyncDispose]: async () => {
        await context[Symbol.asyncDispose]()
        await commons.close()
      },
    }
  },
  cannot: { versions: 'an object never changes; another content is another object' },
})

function credential(commons: TestCommons) {
  return { kind: 'token', endpoint: commons.origin, token: commons.accessToken(), expiresAt: Infinity } as const
}

describe('drs:', () => {
  test('fetches by every spelling of a name, and verifies what the commons says', async () => {
    await using commons = await startCommons({ prefix: 'dg.TEST' })
    await using engine = createEngine()
    const options = await loggedIn(commons, { prefixes: { 'dg.test': commons.host } })
    const { guid, size } = commons.add({ size: 100_000 })
    const uuid = guid.slice(guid.indexOf('/') + 1)
    for (const uri of [
      `drs://${commons.host}/${encodeURIComponent(guid)}`,
      `drs://${commons.host}/${guid}`,
      `drs://dg.TEST:${uuid}`,
      `drs://dg.TEST:${encodeURIComponent(guid)}`,
      `drs://dg.TEST/${uuid}`,
      `dos://dg.TEST:${uuid}`,
      `drs:${guid}`,
    ]) {
      const { content, verification } = await fetchTo(uri, engine, options)
      expectSame(content, testData(size))
      expect(verification.checks, uri).toContainEqual(expect.objectContaining({ algorithm: 'md5', outcome: 'match' }))
    }
  })

  test('never sends a token to storage, and exchanges the key once', async () => {
    await using commons = await startCommons()
    await using engine = createEngine()
    const options = await loggedIn(commons)
    const files = Array.from({ length: 20 }, () => commons.add({ size: 1000 }))
    await Promise.all(files.map(({ drsUri }) => fetchTo(drsUri, engine, options)))
    expect(commons.requestsFor('token')).toHaveLength(1)
    expect(commons.requestsFor('storage').some(({ hasAuth }) => hasAuth)).toBe(false)
    expect(commons.maxConcurrent('api')).toBeLessThanOrEqual(16)
  })

  test('goes on while tokens and URLs end, with one exchange for each', async () => {
    await using commons = await startCommons({ tokenTtlS: 2, urlTtlS: 1, bytesPerSecond: 4 << 20 })
    await using engine = createEngine()
    const { drsUri, size } = commons.add({ size: 20 << 20 })
    const { content } = await fetchTo(drsUri, engine, await loggedIn(commons), { partSize: 1 << 20 })
    expectSame(content, testData(size))
    expect(commons.requestsFor('token').length).toBeGreaterThan(1)
    expect(commons.requestsFor('token').length).toBeLessThan(8)
  })

  test('says what is the matter: not permitted, no login, unknown, no bytes, bundle', async () => {
    await using commons = await startCommons()
    await using engine = createEngine()
    const options = await loggedIn(commons)
    const secret = commons.add({ authz: ['/programs/secret'] })
    expect(await failing(secret.drsUri, engine, options)).toMatchObject({
      code: 'Denied',
      details: { reason: 'denied' },
      message: expect.stringContaining('the login is valid'),
    })
    const unknown = `drs://${commons.host}/00000000-0000-0000-0000-000000000000`
    expect(await failing(unknown, engine, options)).toMatchObject({ code: 'NotFound' })
    const blank = commons.add({ isBlank: true })
    expect(await failing(blank.drsUri, engine, options)).toMatchObject({ details: { reason: 'blank' } })
    const bundle = commons.bundle({ contents: [secret.guid] })
    expect(await failing(bundle.drsUri, engine, options)).toMatchObject({ details: { reason: 'bundle' } })
    await using anonymous = createEngine()
    expect(await failing(secret.drsUri, anonymous, { home: commons.origin })).toMatchObject({
      details: { reason: 'needs_credentials' },
    })
    // Asked once what the token is worth, not for every file.
    await failing(commons.add({ authz: ['/programs/secret'] }).drsUri, engine, options)
    expect(commons.requestsFor('user')).toHaveLength(1)
  })

  test('a login that is not accepted any more: said so, and asked for a new token only once', async () => {
    await using commons = await startCommons()
    await using engine = createEngine()
    const options = await loggedIn(commons)
    const file = commons.add({})
    await fetchTo(file.drsUri, engine, options)
    commons.revoke('access')
    await fetchTo(file.drsUri, engine, options)
    expect(commons.requestsFor('token')).toHaveLength(2)
    commons.revoke('access')
    commons.revoke('api_key')
    expect(await failing(file.drsUri, engine, options)).toMatchObject({ details: { reason: 'cred_rejected' } })
  })

  test('a key that is about to end is exchanged for a token that ends with it', async () => {
    await using commons = await startCommons({ tokenTtlS: 3600, keyTtlS: 600 })
    await using engine = createEngine()
    await fetchTo(commons.add({}).drsUri, engine, await loggedIn(commons))
    expect(commons.requestsFor('token').map(({ status }) => status)).toEqual([400, 200])
  })

  test('tokens for another commons come from the home; none goes to a third', async () => {
    await using home = await startCommons()
    await using other = await startCommons()
    await using stranger = await startCommons({ tls: true })
    await using engine = createEngine()
    home.connect(other)
    const options = await loggedIn(home, { allowPort: true })
    const file = other.add({ size: 5000 })
    // Its certificate is nobody's; what matters is that nobody came with a token.
    await failing(stranger.add({}).drsUri, engine, options, { retries: 0 })
    expectSame((await fetchTo(file.drsUri, engine, options)).content, testData(5000))
    expect(home.requestsFor('wts-token')).toHaveLength(1)
    expect(stranger.requests.some(({ hasAuth }) => hasAuth)).toBe(false)
  })

  test.each([
    ['missing at the first place', { state: 'missing' }],
    ['refused at the first place', { state: 'refused' }],
    ['not signed for the first place', { state: 'unconfigured' }],
    ['denied at the first place', { fault: { status: 403 } }],
    ['always 503 at the first place', { fault: { status: 503 } }],
    ['other bytes at the first place', { fault: faults.wrongByte(100) }],
  ] as const)(
    '%s: fetched from the second',
    async (_, first) => {
      await using commons = await startCommons()
      await using engine = createEngine()
      const { drsUri, size } = commons.add({ size: 50_000, locations: [first, { scheme: 'gs' }] })
      expectSame((await fetchTo(drsUri, engine, await loggedIn(commons), { retries: 3 })).content, testData(size))
    },
    60_000,
  )

  test('a host on this machine that nobody here named is refused', async () => {
    await using commons = await startCommons()
    await using engine = createEngine()
    const { drsUri } = commons.add({})
    const uri = drsUri.replace(/:\d+/, '')
    expect(await failing(uri, engine, {})).toMatchObject({ details: { reason: 'unsafe_host' } })
    expect(commons.requests).toHaveLength(0)
  })

  test('waits for what is being brought back from an archive', async () => {
    await using commons = await startCommons({ drs: { flavour: 'ga4gh' } })
    await using engine = createEngine()
    const { drsUri, guid, size } = commons.add({ authz: ['/open'] })
    commons.fault(guid, { status: 202, retryAfter: 1 }, { at: 'url', times: 1 })
    expectSame((await fetchTo(drsUri, engine, { allowPort: true, home: commons.origin })).content, testData(size))
  })

  test('what is known already is not asked for', async () => {
    await using commons = await startCommons()
    await using engine = createEngine()
    const options = await loggedIn(commons)
    const { drsUri, size, hashes } = commons.add({})
    await fetchTo(drsUri, engine, options, { size, checksums: [`md5:${hashes.md5}`] })
    expect(commons.requestsFor('record')).toHaveLength(0)
    expect(commons.requestsFor('url')).toHaveLength(1)
  })

  test('many small files travel in few questions', async () => {
    await using commons = await startCommons()
    await using engine = createEngine({ connections: 16 })
    const options = await loggedIn(commons)
    commons.latency('api', 50)
    const rows = Array.from({ length: 64 }, () => commons.add({ size: 500 })).map(({ drsUri }, index) => ({
      index,
      uris: [drsUri],
      path: `f${index}`,
      checksums: [],
    }))
    for await (const { ok } of downloadAll(rows, { engine, commons: options, directory })) expect(ok).toBe(true)
    expect(commons.requestsFor('record').length).toBeLessThan(32)
    expect(commons.requestsFor('url').length).toBeLessThan(32)
  })
})

describe('bundles', () => {
  test('list as directories, and are fetched as such', async () => {
    await using commons = await startCommons()
    await using engine = createEngine()
    const options = await loggedIn(commons)
    const [a, b] = [commons.add({ name: 'a.bam', size: 10 }), commons.add({ name: 'b.bam', size: 20 })]
    const inner = commons.bundle({ name: 'inner', contents: [b.guid] })
    const outer = commons.bundle({ contents: [a.guid, { id: inner.guid, name: 'deep' }] })
    const run = downloadAll(list(`${outer.drsUri}/`, { engine, commons: options }), {
      engine,
      commons: options,
      directory: join(directory, 'bundle'),
    })
    for await (const result of run) if (!result.ok) throw result.error
    const names = await readdir(join(directory, 'bundle'), { recursive: true })
    expect(names.filter(name => !name.startsWith('.arriero')).sort()).toEqual(['a.bam', 'deep', 'deep/b.bam'])
  })

  test('that contain themselves are listed once', async () => {
    await using commons = await startCommons()
    const context = sourceContext({ commons: { home: commons.origin, credentials: [credential(commons)] } })
    await using _ = context
    const id = '11111111-2222-3333-4444-555555555555'
    const file = commons.add({ name: 'a.bam', size: 10 })
    const { drsUri } = commons.bundle({ id, contents: [{ id, name: 'again' }, file.guid] })
    const source = await openDrsSource(`${drsUri}/`, context)
    const listed = await listAll(source, { isRecursive: true })
    expect(listed.map(({ path }) => path)).toEqual(['a.bam'])
  })

  test.each([
    [8, 'is asked for once, and listed wherever it is held'],
    [18, 'is an error where that makes too many'],
  ])('what is held twice, %i levels deep, %s', async levels => {
    await using commons = await startCommons()
    const context = sourceContext({ commons: { home: commons.origin, credentials: [credential(commons)] } })
    await using _ = context
    let top = commons.add({ name: 'a.bam', size: 10 }).guid
    for (let level = 0; level < levels; level++) {
      const contents = ['l', 'r'].map(name => ({ id: top, name }))
      top = commons.bundle({ contents }).guid
    }
    const source = await openDrsSource(`drs://${new URL(commons.origin).host}/${top}/`, context)
    const listing = listAll(source, { isRecursive: true })
    if (levels > 16) await expect(listing).rejects.toMatchObject({ details: { reason: 'bundle_too_large' } })
    else expect(new Set((await listing).map(({ path }) => path)).size).toBe(2 ** levels)
    expect(commons.requests.length).toBeLessThan(10 * levels)
  })
})
