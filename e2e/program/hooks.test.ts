import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, test } from 'vitest'
import { testBytes } from './server.ts'
import { workspace } from './workspace.ts'

const w = workspace()
const body = testBytes(3_000_000)
const text = Array.from({ length: 20_000 }, (_, i) => `row ${i}`).join('\n')

beforeAll(() => {
  w.server.serve('/data/ocean.nc', { body })
  w.server.serve('/data/table.csv', { body: Buffer.from('a,b\n1,2\n') })
  w.server.serve('/data/calibration.fits', { body })
  w.server.serve('/data/ocean.preview.png', { body })
  w.server.serve('/text', { body: Buffer.from(text) })
  w.server.serve('/packed', { body: gzipSync(text) })
  w.server.serve('/names/ocean', { body: Buffer.from(`${w.server.url}/data/ocean.nc\n`) })
})

const url = (path: string) => `${w.server.url}${path}`
const example = (name: string) => fileURLToPath(new URL(`../../examples/hooks/${name}.ts`, import.meta.url))
const examples = ['log', 'choose', 'record', 'sign', 'gunzip', 'check-text', 'check-text-thread']

test('the manual shows the examples as they are', async () => {
  const manual = await readFile(new URL('../../docs/manual/hooks.md', import.meta.url), 'utf8')
  const shown = [...manual.matchAll(/^`examples\/hooks\/(.+)\.ts`:\n\n```ts\n([\s\S]*?)^```/gm)]
  expect(shown.map(([, name]) => name).sort()).toEqual(examples.toSorted())
  for (const [, name = '', code] of shown) expect(code, name).toBe(await readFile(example(name), 'utf8'))
})

describe('the examples of the manual', () => {
  test('log says what was proven', async () => {
    const { code, stderr } = await w.run(['get', url('/data/ocean.nc'), '--hooks', example('log')])
    expect(code, stderr).toBe(0)
    expect(stderr).toContain(`${url('/data/ocean.nc')} 3000000 bytes, proven by size`)
    expect(stderr).toContain('1 of 1 files')
    const failed = await w.run(['get', url('/none'), '--hooks', example('log')])
    expect(failed.code).toBe(4)
    expect(failed.stderr).toMatch(/\/none failed: .*\n0 of 1 files/)
  })

  test('choose leaves out, renames, and begins with what is urgent', async () => {
    const names = ['ocean.nc', 'ocean.preview.png', 'table.csv', 'calibration.fits']
    await writeFile(
      w.path('list.json'),
      JSON.stringify(names.map(name => ({ url: url(`/data/${name}`), filepath: name }))),
    )
    const args = ['get', '--manifest', 'list.json', '-d', 'out', '--concurrency', '1', '--hooks', example('choose')]
    const { code, stderr } = await w.run(args)
    expect(code, stderr).toBe(0)
    expect(stderr).toContain('1 left out by hooks')
    const files = (await w.files()).filter(name => name.startsWith('out/') && !name.includes('/.'))
    expect(files).toEqual(['out/calibration.fits', 'out/ocean.nc', 'out/tables', 'out/tables/table.csv'])
    expect(w.server.requests.map(({ path }) => path)).not.toContain('/data/ocean.preview.png')
  })

  test('record writes a line for every file, and is closed after a failure too', async () => {
    const args = [url('/data/ocean.nc'), url('/none'), '-d', 'out', '--hooks', example('record')]
    expect(await w.run(['get', ...args])).toMatchObject({ code: 1 })
    const lines = (await readFile(w.path('record.jsonl'), 'utf8')).trimEnd().split('\n')
    const rows = lines.map(line => JSON.parse(line) as { readonly uri: string; readonly ok: boolean })
    expect(rows.map(({ uri, ok }) => [uri, ok]).sort()).toEqual([
      [url('/data/ocean.nc'), true],
      [url('/none'), false],
    ])
  })

  test('sign asks for the address, and shows its token', async () => {
    const env = { ARCHIVE_TOKEN: 'let-me-in' }
    const { code, stderr } = await w.run(['get', url('/names/ocean'), 'x.nc', '--hooks', example('sign')], { env })
    expect(code, stderr).toBe(0)
    expect(await readFile(w.path('x.nc'))).toEqual(body)
    const fetched = w.server.requests.filter(({ path }) => path === '/data/ocean.nc')
    expect(fetched.map(({ headers }) => headers.authorization)).toContain('Bearer let-me-in')
  })

  test('gunzip stores and writes what was packed', async () => {
    expect(await w.run(['get', url('/packed'), 'x.txt', '--hooks', example('gunzip')])).toMatchObject({ code: 0 })
    expect(await readFile(w.path('x.txt'), 'utf8')).toBe(text)
    const { code, stdout } = await w.run(['cat', url('/packed'), '--hooks', example('gunzip')])
    expect({ code, isSame: stdout === text }).toEqual({ code: 0, isSame: true })
    const broken = await w.run(['get', url('/text'), 'y.txt', '--hooks', example('gunzip')])
    expect(broken.code).toBe(1)
    expect(broken.stderr).toMatch(/The hook transform failed: incorrect header check/)
    expect(await w.files()).not.toContain('y.txt')
  })

  test('check-text numbers lines and refuses what is no text, in threads', async () => {
    const { code, stderr } = await w.run(['get', '-v', url('/text'), 'x.txt', '--hooks', example('check-text')])
    expect(code, stderr).toBe(0)
    const lines = (await readFile(w.path('x.txt'), 'utf8')).split('\n')
    expect(lines).toHaveLength(20_000)
    expect([lines[0], lines.at(-1)]).toEqual(['1 row 0', '20000 row 19999'])
    expect(stderr).toMatch(/^hooks: .* in all: .*onChunk .* \(\d+×\)/m)
    const refused = await w.run(['get', url('/data/ocean.nc'), 'y', '--hooks', example('check-text')])
    expect(refused.code).toBe(1)
    expect(refused.stderr).toMatch(
      /The hook onChunk \(isText of file:.*check-text-thread\.ts\) failed: .*no plain text: byte/,
    )
    expect(await w.files()).not.toContain('y')
  })
})

describe('--hooks', () => {
  test.each([
    [
      'a name that is no hook',
      'export default { onChunks() {} }',
      /Cannot use the hooks of h\.mjs: .*did you mean onChunk\?/,
    ],
    [
      'no default export',
      'export const onChunk = () => {}',
      /Cannot use h\.mjs: its default export must be an object of hooks/,
    ],
    ['a mistake', 'export default {\n  onChunk( {\n}\n', /Cannot load h\.mjs: Unexpected .*h\.mjs:\d/],
    ['a throw', 'throw new Error("no database")', /Cannot load h\.mjs: no database \(.*h\.mjs:1\)/],
  ])('with %s is refused before anything is asked', async (_, code, message) => {
    await writeFile(w.path('h.mjs'), code)
    for (const command of ['get', 'cat']) {
      const outcome = await w.run([command, url('/data/ocean.nc'), '--hooks', 'h.mjs'])
      expect(outcome.code).toBe(2)
      expect(outcome.stderr).toMatch(message)
      expect(outcome.stderr.trimEnd().split('\n')).toHaveLength(1)
    }
    expect(w.server.requests).toEqual([])
    expect(await w.files()).toEqual(['h.mjs'])
  })

  test('with a file that is not there is refused', async () => {
    const { code, stderr } = await w.run(['get', url('/data/ocean.nc'), '--hooks', 'none.ts'])
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: 'arriero: Cannot load none.ts: there is no such file. Check the path and its permissions.\n',
    })
  })

  test('an object that is made for the run is closed when the run is interrupted', async () => {
    w.server.serve('/slow', { body, rate: 200_000 })
    await writeFile(
      w.path('h.ts'),
      `import type { Hooks } from '@arriero/transfer'
      export default class implements Hooks {
        onResource(): Promise<never> { process.kill(process.pid, 'SIGINT'); return new Promise(() => {}) }
        close(): void { console.error('closed') }
      }`,
    )
    const { code, stderr } = await w.run(['get', url('/slow'), 'x', '--hooks', 'h.ts'])
    expect(code).toBe(130)
    expect(stderr).toContain('closed\n')
    expect(await w.files()).not.toContain('x')
  })
})
