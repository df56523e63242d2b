import { readFile, writeFile } from 'node:fs/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import { sha256, testBytes } from './server.ts'
import { workspace } from './workspace.ts'

const bodies = Object.fromEntries(['a', 'b', 'c'].map((name, index) => [name, testBytes(1000 + index)]))
const w = workspace()

beforeAll(() => {
  for (const [name, body] of Object.entries(bodies)) w.server.serve(`/${name}`, { body })
})

const url = (path: string) => `${w.server.url}${path}`

async function writeList(rows: unknown): Promise<void> {
  await writeFile(w.path('list.json'), JSON.stringify(rows))
}

/** But for what a run keeps for itself. */
async function filesOf(): Promise<string[]> {
  return (await w.files()).filter(name => !name.includes('.transfer'))
}

function jsonLines(text: string): Record<string, unknown>[] {
  return text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
}

describe('arriero get, many', () => {
  test('several URLs go into one directory', async () => {
    const { code, stderr } = await w.run(['get', url('/a'), url('/b'), '-d', 'out'])
    expect(code, stderr).toBe(0)
    expect(await w.files()).toEqual(['out', 'out/a', 'out/b'])
    expect(stderr).toMatch(/2 files, 1\.95 KiB in /)
  })

  test('getm’s array: every file verified, exit 0', async () => {
    await writeList([
      { url: url('/a'), filepath: 'x/a.bin', checksum: sha256(bodies.a!), 'checksum-algorithm': 'sha256' },
      { url: url('/b') },
    ])
    const { code, stderr } = await w.run(['get', '--manifest', 'list.json', '-d', 'out'])
    expect(code, stderr).toBe(0)
    expect(await readFile(w.path('out/x/a.bin'))).toEqual(bodies.a)
    expect(await readFile(w.path('out/b'))).toEqual(bodies.b)
  })

  test('failures: each is told with code and reason, the others are done, exit 1', async () => {
    await writeList([
      { url: url('/nothing'), filepath: 'n' },
      { url: url('/a'), filepath: 'bad', checksum: '0'.repeat(64), 'checksum-algorithm': 'sha256' },
      { url: 17 },
      { url: url('/b'), filepath: '../../escape' },
      { url: url('/b'), filepath: 'b' },
    ])
    const args = ['get', '-m', 'list.json', '-d', 'out', '--report', 'report.jsonl', '--skip-invalid']
    const { code, stderr } = await w.run(args)
    expect(code).toBe(1)
    expect(stderr).toMatch(/failed not_found: .*404/)
    expect(stderr).toMatch(/failed checksum_mismatch: /)
    expect(stderr).toMatch(/failed \w+: .*row 3/)
    expect(stderr).toMatch(/failed unsafe_name: /)
    expect(stderr).toMatch(/1 file, .*4 FAILED; see report\.jsonl/)
    expect(await filesOf()).toEqual(['list.json', 'out', 'out/b', 'report.jsonl'])
    const rows = jsonLines(await readFile(w.path('report.jsonl'), 'utf8'))
    expect(rows.filter(row => row.ok === true)).toHaveLength(1)
    const bad = rows.filter(row => row.ok === false)
    // One spelling on the screen and in the report.
    expect(new Map(bad.map(({ index, error_class }) => [index, error_class]))).toEqual(
      new Map([
        [0, 'not_found'],
        [1, 'checksum_mismatch'],
        [2, 'bad_url'],
        [3, 'unsafe_name'],
      ]),
    )
    expect(rows.at(-1)).toMatchObject({ summary: { ok: false, rows: 5, failed: 4, statuses: { unverified: 1 } } })
  })

  test('a row that cannot be used: every one is named, nothing is fetched, exit 2', async () => {
    await writeList([{ url: 17 }, { url: url('/a'), filepath: 'a' }, { url: url('/b'), size: -1 }])
    const { code, stderr } = await w.run(['get', '-m', 'list.json', '-d', 'out'])
    expect(code).toBe(2)
    expect(stderr).toMatch(/row 1[\s\S]*row 3[\s\S]*2 rows cannot be used/)
    expect(await w.files()).toEqual(['list.json'])
  })

  test('a second run fetches nothing that is there; the retry list holds what failed', async () => {
    await writeList([
      { url: url('/a'), filepath: 'a', checksum: sha256(bodies.a!), 'checksum-algorithm': 'sha256' },
      { url: url('/b'), filepath: 'b' },
      { url: url('/later'), filepath: 'deep/later' },
    ])
    expect((await w.run(['get', '-m', 'list.json', '-d', 'out'])).code).toBe(1)
    w.server.serve('/later', { body: bodies.c! })
    const again = await w.run(['get', '-m', 'out/.transfer/failed-manifest.json', '-d', 'out', '--json'])
    expect(again.code, again.stderr).toBe(0)
    expect(jsonLines(again.stdout)).toHaveLength(2)
    expect(await readFile(w.path('out/deep/later'))).toEqual(bodies.c)
    const whole = await w.run(['get', '-m', 'list.json', '-d', 'out', '--json'])
    expect(whole.code, whole.stderr).toBe(0)
    const statuses = jsonLines(whole.stdout).slice(0, 3)
    expect(statuses.sort((a, b) => Number(a.index) - Number(b.index)).map(({ status }) => status)).toEqual([
      'skipped_complete',
      'skipped_size_only',
      'skipped_size_only',
    ])
  })

  test('more large files than connections: all of them are done', async () => {
    const large = testBytes(12_000_000)
    const names = Array.from({ length: 6 }, (_, index) => `large-${index}`)
    for (const name of names) w.server.serve(`/${name}`, { body: large, rate: 12_000_000 })
    const args = ['get', ...names.map(name => url(`/${name}`)), '--connections', '2']
    const { code, stderr } = await w.run(args, { timeoutMs: 25_000 })
    expect(code, stderr).toBe(0)
    expect(await w.files()).toEqual(names)
  })

  test('two entries with one target: an error, not a race', async () => {
    await writeList([
      { url: url('/a'), filepath: 'same' },
      { url: url('/b'), filepath: 'same' },
      { url: url('/c'), filepath: 'c' },
    ])
    const { code, stderr } = await w.run(['get', '-m', 'list.json', '-d', 'out'])
    expect(code).toBe(1)
    expect(stderr).toMatch(/same/)
    expect(await readFile(w.path('out/c'))).toEqual(bodies.c)
  })

  test('--json: a line for each entry and a summary', async () => {
    await writeList([{ url: url('/a') }, { url: url('/nothing') }])
    const { code, stdout } = await w.run(['get', '-m', 'list.json', '-d', 'out', '--json'])
    expect(code).toBe(1)
    const rows = jsonLines(stdout)
    expect(rows).toHaveLength(3)
    expect(rows.find(row => row.ok === true)).toMatchObject({ index: 0, path: w.path('out/a'), size_actual: 1000 })
    expect(rows.find(row => row.ok === false)).toMatchObject({ index: 1, status: 'not_found', http_status: 404 })
    expect(rows.at(-1)).toMatchObject({ summary: { ok: false, rows: 2 } })
  })

  test('a list from stdin', async () => {
    const input = JSON.stringify([{ url: url('/a') }])
    expect(await w.run(['get', '-i', '-', '-d', 'out'], { input })).toMatchObject({ code: 0 })
    expect(await filesOf()).toEqual(['out', 'out/a'])
  })

  test('a list that is not there, or no list at all: exit 2', async () => {
    const missing = await w.run(['get', '-m', 'nothing.json'])
    expect(missing.code).toBe(2)
    expect(missing.stderr).toBe(
      'arriero: Cannot read the list nothing.json: there is no such file. Check the path and its permissions.\n',
    )
    expect(await w.files()).toEqual([])
    const report = await w.run(['get', url('/a'), '--report', 'no/such/report'])
    expect(report.code).toBe(7)
    expect(report.stderr).toMatch(/Cannot write the report no\/such\/report: its directory is not there\./)
    await writeFile(w.path('list.json'), '{"url": ')
    expect((await w.run(['get', '-m', 'list.json'])).code).not.toBe(0)
  })

  test('--dry-run names every target and the rows that cannot be used', async () => {
    await writeList([
      { url: url('/a'), filepath: 'x/a' },
      { url: url('/b'), filepath: '../b' },
    ])
    const { code, stdout, stderr } = await w.run(['get', '-m', 'list.json', '-d', 'out', '--dry-run'])
    expect(code).toBe(1)
    expect(stdout).toContain(w.path('out/x/a'))
    expect(stderr).toMatch(/failed unsafe_name/)
    expect(await w.files()).toEqual(['list.json'])
  })

  test('the list that was fetched can be verified', async () => {
    const rows = Object.entries(bodies).map(([name, body]) => {
      return { url: url(`/${name}`), filepath: name, checksum: sha256(body), 'checksum-algorithm': 'sha256' }
    })
    await writeList(rows)
    expect(await w.run(['get', '-m', 'list.json', '-d', 'out'])).toMatchObject({ code: 0 })
    const good = await w.run(['verify', '-m', 'list.json', '-d', 'out'])
    expect(good, good.stderr).toMatchObject({ code: 0 })
    expect(good.stdout.trimEnd().split('\n').sort()).toEqual(['a: ok (sha256)', 'b: ok (sha256)', 'c: ok (sha256)'])
  })
})
