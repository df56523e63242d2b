/**
 * The test commons is taken for a real one by the commons' own Python tool, `gen3` (PyPI): what our client is tested
 * against is what others meet.
 */
import { execFile, execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { type Commons, startCommons, startResolver } from '../../../packages/transfer/test/commons-server.ts'
import { makeCertificate } from '../../../packages/transfer/test/fault-server/certificate.ts'

const run = promisify(execFile)

if (isInstalled()) {
  describe('gen3', () => {
    test('download-single finds the commons by its key and gets the file', async () => {
      await using place = await makePlace()
      await using commons = await startCommons()
      const file = commons.add({ name: 'one.bin', size: 100_000 })
      const auth = await place.write('credentials.json', commons.credentials())
      await place.gen3(['--auth', auth, 'file', 'download-single', file.guid, '--path', place.path('out')])
      expect(await place.md5('out/one.bin')).toBe(file.md5)
    })

    test('drs-pull follows a manifest over TLS, to another commons by its token service and by a resolver', async () => {
      const { certificate, key } = makeCertificate()
      const tls = { cert: certificate, key }
      await using place = await makePlace()
      await using home = await startCommons({ tls, name: 'home' })
      await using other = await startCommons({ tls, name: 'other', prefix: 'dg.OTHER' })
      await using resolver = await startResolver()
      home.connect(other)
      resolver.add('dg.OTHER', other)
      const files = [
        home.add({ name: 'sub/one.bin', size: 200_000 }),
        home.add({ name: 'two.bin', size: 3000, prefix: 'dg.HOME', version: 1 }),
        other.add({ name: 'three.bin', size: 4000, version: 2 }),
        other.add({ name: 'four.bin', size: 5000, version: 3 }),
      ]
      const rows = files.map(({ row }, index) => (index === 3 ? { ...row, commons_url: undefined } : row))
      const auth = await place.write('credentials.json', home.credentials())
      const manifest = await place.write('manifest.json', rows)
      const ca = await place.write('ca.pem', certificate)
      await mkdir(place.path('out'))
      const environment = {
        REQUESTS_CA_BUNDLE: ca,
        DRS_RESOLVER_HOSTNAME: resolver.origin,
        DRS_RESOLUTION_ORDER: 'dataguids_dist:dataguids',
      }
      const pull = ['drs-pull', 'manifest', manifest, place.path('out'), '--no-progress']
      await place.gen3(['--auth', auth, '--endpoint', home.host, ...pull], environment)
      for (const { name, md5 } of files) expect(await place.md5(`out/${name}`)).toBe(md5)
      expect(home.requestsFor('wts-token')).toHaveLength(1)
      expect([home, other].flatMap(one => one.requestsFor('storage')).some(({ hasAuth }) => hasAuth)).toBe(false)
    })

    test('what fence denies is not downloaded', async () => {
      await using place = await makePlace()
      await using commons = await startCommons()
      const file = commons.add({ name: 'secret.bin', authz: ['/programs/secret'] })
      const auth = await place.write('credentials.json', commons.credentials())
      const single = ['file', 'download-single', file.guid, '--path', place.path('out')]
      await place.gen3(['--auth', auth, ...single]).catch(() => undefined)
      expect(statuses(commons)).toContain(401)
      await expect(place.md5('out/secret.bin')).rejects.toThrow('ENOENT')
    })
  })
} else {
  test.skip('NOT RUN commons-tools: gen3 is not installed (pip install gen3)')
}

function isInstalled(): boolean {
  try {
    execFileSync('gen3', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

function statuses(commons: Commons): (number | undefined)[] {
  return commons.requestsFor('download').map(({ status }) => status)
}

/** A directory of its own, also as the home directory: the tool keeps tokens there. */
async function makePlace() {
  const directory = await mkdtemp(join(tmpdir(), 'arriero-commons-tools-'))
  const path = (name: string) => join(directory, name)
  return {
    path,
    async write(name: string, content: string | object): Promise<string> {
      await writeFile(path(name), typeof content === 'string' ? content : JSON.stringify(content), { mode: 0o600 })
      return path(name)
    },
    async md5(name: string): Promise<string> {
      return createHash('md5')
        .update(await readFile(path(name)))
        .digest('hex')
    },
    gen3(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
      return run('gen3', args, { cwd: directory, env: { ...process.env, HOME: directory, ...environment } })
    },
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  }
}
