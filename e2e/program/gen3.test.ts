import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { type Commons, startCommons } from '../../packages/transfer/test/commons-server.ts'
import { workspace } from './workspace.ts'

const w = workspace()

async function logIn(commons: Commons, options = {}): Promise<void> {
  await writeFile(w.path('cred.json'), JSON.stringify(commons.credentials(options)), { mode: 0o600 })
}

/** No credentials and no caches of whoever runs the tests. */
const run = (...args: string[]) =>
  w.run(args, { env: { HOME: w.folder, XDG_CACHE_HOME: w.path('cache'), GEN3_API_KEY: '' } })

async function writeManifest(rows: unknown): Promise<void> {
  await writeFile(w.path('manifest.json'), JSON.stringify(rows))
}

const secrets = /eyJ[\w-]+\.|X-Amz-Signature=[0-9a-f]|Bearer /

describe('arriero gen3', () => {
  test('download-manifest: files, report and summary; the second run finds all there', async () => {
    await using commons = await startCommons()
    await logIn(commons)
    await writeManifest([
      commons.add({ name: 'a.bam', size: 1000 }).row,
      commons.add({ name: 'd/b.bam', size: 2000 }).row,
    ])
    const args = [
      'gen3',
      'download-manifest',
      'manifest.json',
      '--cred',
      'cred.json',
      '--path',
      'out',
      '--semaphores',
      '4',
    ]
    const first = await run(...args)
    expect(first.code, first.stderr).toBe(0)
    expect(first.stderr).toMatch(/2 files, 2\.93 KiB/)
    const names = await readdir(w.path('out/.transfer'))
    const report = await readFile(
      w.path('out/.transfer', names.find(name => name.startsWith('report-')) as string),
      'utf8',
    )
    expect(report).not.toMatch(secrets)
    expect(
      report
        .trimEnd()
        .split('\n')
        .map(line => JSON.parse(line).status),
    ).toEqual(['downloaded', 'downloaded', undefined])
    const again = await run(...args)
    expect(again.stderr).toMatch(/2 there already/)
    expect(commons.requestsFor('storage')).toHaveLength(2)
    // The token was kept: nobody was asked for another.
    expect(commons.requestsFor('token')).toHaveLength(1)
  })

  test('download-single: by GUID and by DRS URI; a bundle becomes a directory', async () => {
    await using commons = await startCommons()
    await logIn(commons)
    const [a, b] = [commons.add({ name: 'a.bam', size: 100 }), commons.add({ name: 'b.bam', size: 100 })]
    const bundle = commons.bundle({ name: 'both', contents: [a.guid, b.guid] })
    const single = (id: string) => run('gen3', 'download-single', id, '--cred', 'cred.json', '--path', 'out')
    expect(await single(a.guid)).toMatchObject({ code: 0 })
    expect(await single(b.drsUri)).toMatchObject({ code: 0 })
    const whole = await single(bundle.guid)
    expect(whole.code, whole.stderr).toBe(0)
    const files = (await w.files()).filter(name => name.startsWith('out/') && !name.includes('.transfer'))
    expect(files).toEqual(['out/a.bam', 'out/b.bam', 'out/both', 'out/both/a.bam', 'out/both/b.bam'])
  })

  test.each([
    ['that are not there', undefined, /no such file/],
    ['that are no JSON', 'not json', /must be a JSON object/],
    ['without a key', '{}', /must have an api_key/],
    ['whose key is no token', '{"api_key":"abc"}', /web token/],
  ])('credentials %s: one line, exit 5, nothing begun', async (_, text, message) => {
    await using commons = await startCommons()
    if (text !== undefined) await writeFile(w.path('cred.json'), text, { mode: 0o600 })
    await writeManifest([commons.add().row])
    const { code, stderr } = await run('gen3', 'download-manifest', 'manifest.json', '--cred', 'cred.json')
    expect(code, stderr).toBe(5)
    expect(stderr).toMatch(message)
    expect(stderr.trimEnd().split('\n')).toHaveLength(1)
    expect(commons.requests).toHaveLength(0)
  })

  test.each([
    ['one object', (guid: string) => [guid]],
    ['a list', () => ['--manifest', 'manifest.json', '-d', 'out']],
  ])('get of %s says once what is wrong with the credentials, and speaks of no target', async (_, what) => {
    await using commons = await startCommons()
    const { row, guid } = commons.add()
    await writeManifest([row, commons.add().row])
    const get = async () => {
      const { code, stderr } = await run('get', ...what(guid), '--cred', 'cred.json')
      expect(code, stderr).toBe(5)
      return stderr
    }
    expect(await get()).toBe(
      'arriero: Cannot read the credentials cred.json: there is no such file. ' +
        'Check the path; a commons gives credentials.json on its profile page.\n',
    )
    await logIn(commons, { foreign: true })
    expect(await get()).toBe(
      `arriero: Cannot log in at ${commons.origin}: it answered 401: Could not parse JWT: signature verification failed, ` +
        `or the key has expired. Make a new key on the profile page of ${commons.origin}.\n`,
    )
    expect(commons.requestsFor('storage')).toHaveLength(0)
  })

  test.each([
    ['expired', { expired: true }, /expired .*profile page/],
    ['foreign', { foreign: true }, /Cannot log in/],
  ])('an %s key: one line, exit 5', async (_, options, message) => {
    await using commons = await startCommons()
    await logIn(commons, options)
    await writeManifest([commons.add().row])
    const { code, stderr } = await run('gen3', 'download-manifest', 'manifest.json', '--cred', 'cred.json')
    expect(code, stderr).toBe(5)
    expect(stderr).toMatch(message)
    expect(stderr).not.toMatch(secrets)
    expect(commons.requestsFor('url')).toHaveLength(0)
  })

  test('a single object: denied is 5, unknown is 4', async () => {
    await using commons = await startCommons()
    await logIn(commons)
    const secret = commons.add({ authz: ['/programs/secret'] })
    const args = ['--cred', 'cred.json', '--path', 'out']
    expect((await run('gen3', 'download-single', secret.guid, ...args)).code).toBe(5)
    expect((await run('gen3', 'download-single', '00000000-0000-4000-8000-000000000000', ...args)).code).toBe(4)
  })

  test('a commons that is down: exit 6 for one object, and every row told for a list', async () => {
    const commons = await startCommons()
    await logIn(commons)
    const { row, guid } = commons.add()
    await writeManifest([row])
    await commons.close()
    const started = Date.now()
    const { code, stderr } = await run('gen3', 'download-single', guid, '--cred', 'cred.json')
    expect(code, stderr).toBe(6)
    expect(stderr).toMatch(/refused the connection/)
    expect(Date.now() - started).toBeLessThan(60_000)
  }, 90_000)

  test.each([
    ['cut in the middle', '[{"object_id":"a', 2],
    ['a web page', '<!doctype html><html><body>Sign in</body></html>', 2],
    ['empty', '[]', 0],
  ])('a manifest that is %s', async (_, text, wanted) => {
    await using commons = await startCommons()
    await logIn(commons)
    await writeFile(w.path('manifest.json'), text)
    const { code, stderr } = await run(
      'gen3',
      'download-manifest',
      'manifest.json',
      '--cred',
      'cred.json',
      '--path',
      'out',
    )
    expect(code, stderr).toBe(wanted)
    expect(stderr.trim()).not.toBe('')
  })

  test('flags of gen3-client, and its profiles', async () => {
    await using commons = await startCommons()
    await mkdir(w.path('.gen3'))
    const { api_key } = commons.credentials()
    const ini = `[mine]\nkey_id = x\napi_key = ${api_key}\naccess_token =\napi_endpoint = ${commons.origin}\n`
    await writeFile(w.path('.gen3/gen3_client_config.ini'), ini, { mode: 0o600 })
    const added = commons.add({ name: 'a.bam' })
    await writeManifest([added.row])
    const { code, stderr } = await run(
      ...['gen3', 'download-multiple', '--profile', 'mine', '--manifest', 'manifest.json', '--download-path', 'out'],
      ...['--filename-format', 'combined', '--numparallel', '3', '--no-prompt', '--skip-completed'],
    )
    expect(code, stderr).toBe(0)
    expect(await w.files()).toContain(`out/${added.guid}_a.bam`)
  })
})
