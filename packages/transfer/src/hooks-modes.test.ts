/** Every hook in every call where it has a place: the table of the manual is held to what happens. */
import { readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import { dataOf, expectSame, MIB, type Setting, setUp } from '../test/fault-matrix/setting.ts'
import { type FaultServer, faults, startFaultServer } from '../test/fault-server.ts'
import { hookNames } from './hooks/names.ts'
import type { HookArguments, HookName, Hooks } from './hooks.ts'
import {
  consume,
  download,
  downloadAll,
  downloadManifest,
  type FetchOptions,
  iterate,
  iterateUnordered,
  list,
  open,
  probe,
  readAll,
} from './index.ts'

const SIZE = 5 * MIB + 7
const SECRET = 'x7secretx7'

const manual = readFileSync(new URL('../../../docs/manual/hooks.md', import.meta.url), 'utf8')

/** The table's columns: for each call the hooks that it says are called, and those of which it says nothing definite. */
function readTable(): Map<string, { readonly called: string[]; readonly open: string[] }> {
  const rows = manual.split('\n').map(line =>
    line
      .split('|')
      .slice(1, -1)
      .map(cell => cell.trim().replaceAll('`', '')),
  )
  const at = rows.findIndex(row => row[1] === 'download')
  const head = rows[at] as string[]
  const body = rows.slice(
    at + 2,
    rows.findIndex((row, index) => index > at && row.length === 0),
  )
  return new Map(
    head.slice(1).map((call, column) => {
      const hooksOf = (is: (cell: string) => boolean) =>
        body.filter(row => is(row[column + 1] as string)).map(row => row[0] as string)
      return [call, { called: hooksOf(cell => cell === '✓'), open: hooksOf(cell => cell !== '✓' && cell !== '') }]
    }),
  )
}

/** Every hook, noting that it was called, with what; and what has come out of the pass. */
function recording(calls: Map<HookName, unknown[]>): Hooks {
  const noted = hookNames
    .filter(name => name !== 'transform')
    .map(name => {
      const note = (argument: unknown) => {
        calls.set(name, [...(calls.get(name) ?? []), argument])
        return name === 'resolve' ? argument : undefined
      }
      return [name, note]
    })
  return {
    ...Object.fromEntries(noted),
    async *transform(bytes) {
      calls.set('transform', [])
      for await (const piece of bytes) yield piece.map(byte => byte ^ 255)
    },
  }
}

interface Given {
  readonly url: string
  readonly directory: string
  readonly options: FetchOptions
}

/** What each call gives back of the bytes; undefined: none. */
const calls: Record<string, (given: Given) => Promise<Uint8Array | undefined>> = {
  async download({ url, directory, options }) {
    return readFileSync((await download(url, `${directory}/`, options)).path)
  },
  async downloadAll({ url, directory, options }) {
    const run = downloadAll([url], { ...options, directory })
    for await (const item of run) if (!item.ok) throw item.error
    expect((await run.summary).hooks?.onFile?.calls).toBe(1)
    return readFileSync(join(directory, 'data'))
  },
  async downloadManifest({ url, directory, options }) {
    const rows = async function* () {
      yield [{ index: 0, uris: [url], path: 'data', checksums: [] }]
    }
    const run = downloadManifest(rows(), { ...options, directory })
    for await (const { outcome } of run) expect(outcome).toMatchObject({ ok: true })
    expect((await run.summary).hooks?.onFile?.calls).toBe(1)
    return readFileSync(join(directory, 'data'))
  },
  async iterate({ url, options }) {
    return joined(iterate(url, { ...options, copy: true }))
  },
  async iterateUnordered({ url, options }) {
    const bytes = new Uint8Array(SIZE)
    const indexes: number[] = []
    for await (const { index, offset, data } of iterateUnordered(url, options)) {
      indexes.push(index)
      bytes.set(data, offset)
    }
    expect(new Set(indexes).size).toBe(indexes.length)
    return bytes
  },
  async open({ url, options }) {
    await using reader = await open(url, { ...options, copy: true })
    const bytes = new Uint8Array(SIZE)
    expect(await reader.readInto(bytes)).toBe(SIZE)
    expect(await reader.read()).toBeUndefined()
    return bytes
  },
  async consume({ url, options }) {
    const bytes = new Uint8Array(SIZE)
    await consume(url, ({ offset, bytes: piece }) => void bytes.set(piece, offset), options)
    return bytes
  },
  readAll: ({ url, options }) => readAll(url, options),
  async probe({ url, options }) {
    expect((await probe(url, options)).size).toBe(SIZE)
    return undefined
  },
  async list({ url, options }) {
    // A listing of a server that has some; the names and pages are the same for all.
    expect(url).toContain('http')
    const from = join(options.headers?.['x-directory'] as string, 'listed')
    await mkdir(join(from, 'below'), { recursive: true })
    for (const name of ['a', 'b', 'below/c']) await writeFile(join(from, name), name)
    const pages: (readonly string[])[] = []
    for await (const page of list(`${pathToFileURL(from)}/`, options)) pages.push(page.map(({ path }) => path))
    expect(pages.flat().sort()).toEqual(['a', 'b', 'below/c'])
    return undefined
  },
}

async function joined(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = []
  for await (const piece of pieces) all.push(piece)
  return Buffer.concat(all)
}

/** The third part is cut off once; secrets are everywhere. */
async function serve(): Promise<FaultServer & { readonly data: string }> {
  const server = await startFaultServer()
  let isCut = false
  const script = ({ range }: { readonly range?: { readonly start?: number } | undefined }) => {
    const headers = { 'set-cookie': `id=${SECRET}`, link: `<https://h/x?sig=${SECRET}>; rel=next`, 'x-plain': 'seen' }
    if (isCut || range?.start !== 2 * MIB) return { headers }
    isCut = true
    return { ...faults.truncates(1000), headers }
  }
  const { url } = server.resource('/data', { size: SIZE, script })
  return Object.assign(server, { data: `${url.replace('http://', `http://me:${SECRET}@`)}?token=${SECRET}` })
}

function optionsFor({ engine, directory }: Setting, hooks: Hooks): FetchOptions {
  return { engine, partSize: MIB, concurrency: 2, hooks, headers: { 'x-directory': directory } }
}

describe('the table of calls and hooks in the manual', () => {
  const table = readTable()

  test('has every call and every hook', () => {
    expect([...table.keys()]).toEqual(Object.keys(calls))
    const { called, open: unsure } = table.get('download') as { called: string[]; open: string[] }
    expect(unsure).toEqual([])
    const named = [...manual.matchAll(/^\| `(\w+)` +\|/gm)].map(([, name]) => name)
    for (const name of hookNames) {
      const times = named.filter(one => one === name).length
      expect(times, `${name} is in the table of stages and in that of calls`).toBeGreaterThanOrEqual(2)
    }
    expect(called).toHaveLength(14)
  })

  test.each([...table.keys()])(
    'says which hooks %s calls; none sees a secret, and the bytes are those of the pass',
    async call => {
      const setting = await setUp()
      await using server = await serve()
      const told = new Map<HookName, unknown[]>()
      const options = optionsFor(setting, recording(told))
      const got = await calls[call]?.({ url: server.data, directory: setting.directory, options })
      const { called, open: unsure } = table.get(call) as { called: string[]; open: string[] }
      // Only a tail that lags is asked for twice; listings are of files here, whose addresses need no credentials.
      const notHere = ['onHedge', ...unsure, ...(call === 'list' ? ['credentials'] : [])]
      expect([...told.keys()].sort()).toEqual(called.filter(name => !notHere.includes(name)).sort())
      expect(JSON.stringify([...told])).not.toContain(SECRET)
      if (!got) return
      expectSame(
        got,
        dataOf(SIZE).map(byte => byte ^ 255),
      )
      const [first] = told.get('onResponse') as HookArguments['onResponse'][]
      expect(first).toMatchObject({ status: 206, headers: { 'x-plain': 'seen', 'set-cookie': '***' } })
      expect(first?.resource.size).toBe(SIZE)
      expect(told.get('onDone')).toEqual([{ files: 1, failed: 0, bytes: SIZE }])
      expect(told.get('onFileDone')).toMatchObject([{ error: undefined, bytes: SIZE, verification: { size: SIZE } }])
      expect(told.get('onRetry')).toMatchObject([{ attempt: 1, error: { code: 'Network' } }])
      expect(setting.engine.progress.hooks.times?.onPartDone?.calls).toBe(6)
    },
  )

  test.each(Object.keys(calls).filter(call => !['probe', 'list'].includes(call)))(
    '%s tells a failure at its ends, once',
    async call => {
      const setting = await setUp()
      await using server = await startFaultServer()
      const told = new Map<HookName, unknown[]>()
      const options = optionsFor(setting, recording(told))
      const given = { url: server.url('/none'), directory: setting.directory, options }
      await expect(calls[call]?.(given)).rejects.toThrow()
      expect(told.get('onFileDone')).toMatchObject([{ error: { code: 'NotFound' }, verification: undefined }])
      expect(told.get('onDone')).toMatchObject([{ files: 1, failed: 1, bytes: 0 }])
      expect(setting.engine.progress.active.size).toBe(0)
    },
  )
})

describe('onListPage', () => {
  test('is asked before the page is used, may refuse it, and holds up the next', async () => {
    const { directory, engine } = await setUp()
    for (const name of ['a/1', 'b/2', 'c/3']) {
      await mkdir(join(directory, 'tree', name.slice(0, 1)), { recursive: true })
      await writeFile(join(directory, 'tree', name), name)
    }
    const uri = `${pathToFileURL(join(directory, 'tree'))}/`
    const order: string[] = []
    const hooks: Hooks = {
      async onListPage({ uri: listed, page, entries }) {
        expect(listed).toContain('/tree')
        order.push(`asked ${page}`)
        await new Promise(resolve => setTimeout(resolve, 5))
        order.push(`answered ${page} of ${entries.length}`)
      },
    }
    for await (const page of list(uri, { engine, hooks })) order.push(`used ${page.length}`)
    const pages = order.length / 3
    const expected = Array.from({ length: pages }, (_, page) => [`asked ${page}`, `answered ${page} of 1`, 'used 1'])
    expect(order).toEqual(expected.flat())
    const refusing: Hooks = { onListPage: () => Promise.reject(new Error('too many')) }
    await expect(list(uri, { engine, hooks: refusing }).next()).rejects.toMatchObject({
      code: 'HookFailed',
      message: 'The hook onListPage failed: too many',
    })
  })
})

describe('onFile of a manifest', () => {
  test('leaves out with a word, renames by the rules, and fails its row alone', async () => {
    const { directory, engine } = await setUp()
    await using server = await startFaultServer()
    const { url } = server.resource('/data', { size: 10 })
    const names = ['skip', 'rename', 'same', 'outside', 'throw', 'keep']
    const rows = async function* () {
      yield names.map((path, index) => ({ index, uris: [url], path, checksums: [] }))
    }
    const hooks: Hooks = {
      onFile({ path }) {
        if (path === 'skip') return 'skip'
        if (path === 'rename' || path === 'same') return { rename: 'below/renamed' }
        if (path === 'outside') return { rename: '../outside' }
        if (path === 'throw') throw new Error('no good')
        return undefined
      },
    }
    const ends: unknown[] = []
    const noting: Hooks = { onDone: end => void ends.push(end) }
    const run = downloadManifest(rows(), { directory: join(directory, 'out'), engine, hooks: [hooks, noting] })
    const statuses = new Map<number, string>()
    for await (const { entry, outcome } of run) statuses.set(entry.index, outcome.status)
    const told = names.map((name, index) => [name, statuses.get(index)])
    expect(told).toEqual([
      ['skip', 'skipped_by_hook'],
      ['rename', 'unverified'],
      ['same', 'invalid'],
      ['outside', 'unsafe_name'],
      ['throw', 'failed'],
      ['keep', 'unverified'],
    ])
    expect(ends).toMatchObject([{ files: 6, failed: 3 }])
  })
})
