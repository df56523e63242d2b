import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { beforeAll, describe, expect, test } from 'vitest'
import { sha256, testBytes } from './server.ts'
import { workspace } from './workspace.ts'

const body = testBytes(3_000_000)
const digest = sha256(body)
const w = workspace()

beforeAll(() => {
  w.server.serve('/data/ocean.nc', { body })
  w.server.serve('/empty', { body: Buffer.alloc(0) })
  w.server.serve('/named', { body, headers: { 'content-disposition': 'attachment; filename="../../evil.nc"' } })
  w.server.serve('/denied', { status: 403, body: Buffer.from('no') })
  w.server.serve('/login', {
    body: Buffer.from('<html>please log in</html>'),
    headers: { 'content-type': 'text/html' },
  })
})

const url = (path: string) => `${w.server.url}${path}`

describe('arriero get', () => {
  test('URL: takes the name from the URL and says size, rate and how it was verified', async () => {
    const { code, stdout, stderr } = await w.run(['get', url('/data/ocean.nc')])
    expect({ code, stdout }, stderr).toEqual({ code: 0, stdout: '' })
    expect(await readFile(w.path('ocean.nc'))).toEqual(body)
    expect(stderr).toMatch(/^ocean\.nc {2}2\.86 MiB in .*\/s\), size only$/m)
    expect(await w.files()).toEqual(['ocean.nc'])
  })

  test('URL FILE and -o FILE: name the file and make its directories', async () => {
    expect(await w.run(['get', url('/data/ocean.nc'), 'a/b/x.nc'])).toMatchObject({ code: 0 })
    expect(await w.run(['get', url('/data/ocean.nc'), '-o', 'y.nc'])).toMatchObject({ code: 0 })
    expect(await readFile(w.path('a/b/x.nc'))).toEqual(body)
    expect(await readFile(w.path('y.nc'))).toEqual(body)
  })

  test('a large file goes into a directory that is not there yet as well', async () => {
    const large = testBytes(20_000_000)
    w.server.serve('/large', { body: large })
    expect(await w.run(['get', url('/large'), 'new/er/x'])).toMatchObject({ code: 0 })
    expect((await readFile(w.path('new/er/x'))).equals(large)).toBe(true)
  })

  test('-d DIR, and a target that is a directory, get the name appended', async () => {
    await mkdir(w.path('there'))
    expect(await w.run(['get', url('/data/ocean.nc'), '-d', 'new'])).toMatchObject({ code: 0 })
    expect(await w.run(['get', url('/data/ocean.nc'), 'there'])).toMatchObject({ code: 0 })
    expect(await w.files()).toEqual(['new', 'new/ocean.nc', 'there', 'there/ocean.nc'])
  })

  test('an empty file is a file', async () => {
    expect(await w.run(['get', url('/empty')])).toMatchObject({ code: 0 })
    expect(await readFile(w.path('empty'))).toHaveLength(0)
  })

  test('the right checksum: says who gave it, in getm’s spelling too', async () => {
    const given = await w.run(['get', url('/data/ocean.nc'), '--checksum', `sha256:${digest}`])
    expect(given).toMatchObject({ code: 0 })
    expect(given.stderr).toContain('sha256 ok (caller)')
    expect(await w.run(['get', url('/data/ocean.nc'), 'b', '-cs', digest, '-ca', 'sha256'])).toMatchObject({ code: 0 })
  })

  test('a wrong checksum: exit 3, expected and actual in one line, nothing left behind', async () => {
    const wrong = `sha256:${'0'.repeat(64)}`
    const { code, stderr } = await w.run(['get', url('/data/ocean.nc'), '--checksum', wrong, '--progress', 'none'])
    expect(code).toBe(3)
    // One line for the second try, one for the verdict.
    expect(stderr).toMatch(new RegExp(`^arriero: .*ocean.nc.*0{64}.*${digest}.*$`, 'm'))
    expect(await w.files()).toEqual([])
  })

  test('a login page where data was expected: the size differs, exit 3', async () => {
    const { code, stderr } = await w.run(['get', url('/login'), '--size', '3000000'])
    expect(code).toBe(3)
    expect(stderr).toMatch(/size/i)
    expect(await w.files()).toEqual([])
  })

  test('--require-checksum without any: exit 3 and no file', async () => {
    expect(await w.run(['get', url('/data/ocean.nc'), '--require-checksum'])).toMatchObject({ code: 3 })
    expect(await w.files()).toEqual([])
  })

  test.each([
    ['a name that is not there', '/nothing', 4, /404/],
    ['a refusal', '/denied', 5, /403/],
  ])('%s: one clear line and its exit code', async (_, path, expected, message) => {
    const { code, stderr } = await w.run(['get', url(path), '--progress', 'none'])
    expect(code).toBe(expected)
    expect(stderr).toMatch(message)
    expect(stderr.trimEnd().split('\n')).toHaveLength(1)
    expect(await w.files()).toEqual([])
  })

  test('a refused connection: exit 6', async () => {
    const port = await freePort()
    const { code, stderr } = await w.run(['get', `http://127.0.0.1:${port}/x`, '--retries', '1', '--progress', 'none'])
    expect(code, stderr).toBe(6)
    expect(stderr).toContain(`127.0.0.1:${port}`)
    expect(await w.files()).toEqual([])
  })

  test.each([
    ['an unknown scheme', ['htp://h/x'], /htp/],
    ['a misspelt checksum algorithm', ['http://h/x', '--checksum', `sha265:${digest}`], /sha256/],
    ['a digest of the wrong length', ['http://h/x', '--checksum', 'sha256:abc'], /sha256/],
    ['a misspelt flag', ['http://h/x', '--chekcsum', 'x'], /Did you mean --checksum/],
  ])('%s: exit 2 before anything is asked', async (_, args, message) => {
    const { code, stderr } = await w.run(['get', ...args, '--progress', 'none'].slice(0, 9))
    expect(code, stderr).toBe(2)
    expect(stderr).toMatch(message)
    expect(stderr.trimEnd().split('\n')).toHaveLength(1)
  })

  test('a target whose name is that of a directory: exit 7', async () => {
    await mkdir(w.path('ocean.nc'))
    const { code, stderr } = await w.run(['get', url('/data/ocean.nc'), '--progress', 'none'])
    expect(code, stderr).toBe(7)
    expect(stderr).toContain('ocean.nc')
    expect(await w.files()).toEqual(['ocean.nc'])
  })

  test('a target below a file: exit 7', async () => {
    await writeFile(w.path('file'), 'x')
    expect(await w.run(['get', url('/data/ocean.nc'), 'file/x.nc'])).toMatchObject({ code: 7 })
    expect(await w.files()).toEqual(['file'])
  })

  test('a file that is there already is left alone, unless --if-exists says otherwise', async () => {
    await writeFile(w.path('ocean.nc'), 'mine')
    const refused = await w.run(['get', url('/data/ocean.nc')])
    expect(refused.code).toBe(7)
    expect(refused.stderr).toContain('--if-exists')
    expect(await readFile(w.path('ocean.nc'), 'utf8')).toBe('mine')
    expect(await w.run(['get', url('/data/ocean.nc'), '--if-exists', 'rename'])).toMatchObject({ code: 0 })
    expect(await readFile(w.path('ocean.nc'), 'utf8')).toBe('mine')
    expect(await w.run(['get', url('/data/ocean.nc'), '--if-exists', 'overwrite'])).toMatchObject({ code: 0 })
    expect(await readFile(w.path('ocean.nc'))).toEqual(body)
  })

  test('../ in a server’s file name stays inside the directory', async () => {
    await mkdir(w.path('in/side'), { recursive: true })
    const { code } = await w.run(['get', url('/named'), '-d', 'in/side'])
    expect(code).toBe(0)
    expect(await w.files()).toEqual(['in', 'in/side', 'in/side/evil.nc'])
  })

  test('--json: one document with path, size and proof', async () => {
    const { code, stdout } = await w.run(['get', url('/data/ocean.nc'), '--json', '--checksum', `sha256:${digest}`])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      ok: true,
      path: w.path('ocean.nc'),
      bytes: body.length,
      status: 'downloaded',
      isDurable: true,
      verification: { proof: 'checksum', checks: [{ algorithm: 'sha256', outcome: 'match', authority: 'caller' }] },
    })
  })

  test('--json: an error is a document as well', async () => {
    const { code, stdout } = await w.run(['get', url('/nothing'), '--json'])
    expect(code).toBe(4)
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, error: { code: 'not_found', status: 404 } })
  })

  test('--quiet says nothing of a success and the reason of a failure', async () => {
    expect(await w.run(['get', url('/data/ocean.nc'), '--quiet'])).toMatchObject({ code: 0, stdout: '', stderr: '' })
    expect((await w.run(['get', url('/nothing'), '--quiet'])).stderr).toContain('404')
  })

  test('paths of this machine are sources, too; a pattern that nothing matches is not there, for ls as for get', async () => {
    await mkdir(w.path('in'))
    await writeFile(w.path('in/run#1.txt'), 'one')
    expect(await w.run(['get', './in/run#1.txt', '-d', 'out'])).toMatchObject({ code: 0 })
    expect(await w.run(['get', w.path('in/'), '-d', 'all'])).toMatchObject({ code: 0 })
    expect(await readFile(w.path('out/run#1.txt'), 'utf8')).toBe('one')
    expect(await readFile(w.path('all/run#1.txt'), 'utf8')).toBe('one')
    expect(await w.run(['ls', './in'])).toMatchObject({ code: 0, stdout: 'run#1.txt\n' })
    const directory = await w.run(['get', './in'])
    expect(directory.stderr).toMatch(/it is a directory\. A URL that ends with \/ stands for what lies below it\./)
    for (const command of ['get', 'ls']) {
      const { code, stderr } = await w.run([command, './in/*.nc'])
      expect(code, stderr).toBe(4)
      expect(stderr).toMatch(/^(failed not_found|arriero): (Cannot fetch|Nothing matches) .*in\/\*\.nc/)
    }
    expect(await w.run(['get', './in/*.nc', './in/*.txt', '-d', 'some'])).toMatchObject({ code: 1 })
  })

  test('--dry-run shows the target and asks the server for nothing', async () => {
    const { code, stdout } = await w.run(['get', url('/data/ocean.nc'), '-d', 'out', '--dry-run'])
    expect(code).toBe(0)
    expect(stdout).toContain('out/ocean.nc')
    expect(w.server.requests).toEqual([])
    expect(await w.files()).toEqual([])
  })

  test('--header reaches the server, and -vv never prints its value', async () => {
    const { code, stderr } = await w.run(['get', url('/data/ocean.nc'), '--header', 'X-Lab-Pass: hunter2', '-vv'])
    expect(code).toBe(0)
    expect(w.server.requests[0]!.headers['x-lab-pass']).toBe('hunter2')
    expect(stderr).not.toContain('hunter2')
  })
})

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise(resolve => server.close(resolve))
  return port
}
