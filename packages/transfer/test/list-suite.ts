/**
 * What every source that lists must do (contract in src/source.ts). Called with a factory that puts files in place.
 */
import { describe, expect, test } from 'vitest'
import type { Listed, ListRequest, Source } from '../src/source.ts'
import { failureOf, fetchBytes } from './fetch-bytes.ts'
import { expectSame } from './source-suite.ts'

export interface ListSubject extends AsyncDisposable {
  /** Of the directory that holds the files; its URI ends with `/`. */
  readonly source: Source
  /** Opens what a listing names. */
  open(uri: string): Source | Promise<Source>
}

export interface ListSuiteOptions {
  /** Puts files, by relative path, into a new place. */
  make(files: ReadonlyMap<string, Uint8Array>): Promise<ListSubject>
  /** What the source cannot do, each with the reason. */
  readonly cannot?: Readonly<Partial<Record<'size' | 'time' | 'control characters' | 'missing', string>>> | undefined
}

const NAMES = [
  'a.txt',
  'b (1).txt',
  'c%20+&=#?.txt',
  'd[1]*.txt',
  'é漢😀.txt',
  'quote\'".txt',
  'run1/raw/x.g3',
  'run1/raw/y.g3',
  'run1/cal.g3',
  'run2/raw/x.g3',
  'z/z/z/z/deep',
]

export function describeListing(name: string, { make, cannot = {} }: ListSuiteOptions): void {
  const needs = (topic: keyof typeof cannot) => (cannot[topic] === undefined ? test : test.skip)
  const files = new Map(NAMES.map((path, index) => [path, Buffer.from(`${index} ${path}`)]))

  describe(`${name} (listing contract)`, () => {
    test('says that it lists', async () => {
      await using subject = await make(files)
      expect(subject.source.capabilities.list).toBe(true)
    })

    test('names one level: files with sizes, directories with a final slash', async () => {
      await using subject = await make(files)
      const listed = await listAll(subject.source, { isRecursive: false })
      const top = NAMES.filter(path => !path.includes('/'))
      expect(pathsOf(listed)).toEqual([...top, 'run1/', 'run2/', 'z/'].sort())
      if (!cannot.size) {
        for (const { path, size } of listed) if (!path.endsWith('/')) expect(size).toBe(files.get(path)?.length)
      }
    })

    needs('time')('tells when files were changed', async () => {
      await using subject = await make(files)
      const [one] = await listAll(subject.source, { isRecursive: false, prefix: 'a.txt' })
      expect(Math.abs(Date.now() - (one?.lastModified as number))).toBeLessThan(26 * 3600_000)
    })

    test('names files at every depth, each once, and no directories', async () => {
      await using subject = await make(files)
      expect(pathsOf(await listAll(subject.source, { isRecursive: true }))).toEqual([...NAMES].sort())
    })

    test('gives every name that begins with a prefix', async () => {
      await using subject = await make(files)
      for (const prefix of ['run', 'run1/raw/x', 'nothing']) {
        const listed = pathsOf(await listAll(subject.source, { isRecursive: true, prefix }))
        const wanted = NAMES.filter(path => path.startsWith(prefix)).sort()
        expect(listed.filter(path => path.startsWith(prefix))).toEqual(wanted)
      }
    })

    test('need not look where nothing is wanted', async () => {
      await using subject = await make(files)
      const enters = (directory: string) => !directory.startsWith('z/')
      const listed = pathsOf(await listAll(subject.source, { isRecursive: true, enters }))
      expect(listed.filter(path => !path.startsWith('z/'))).toEqual(NAMES.filter(path => !path.startsWith('z/')).sort())
    })

    test('gives URIs that open the very file', async () => {
      await using subject = await make(files)
      for (const { uri, path } of await listAll(subject.source, { isRecursive: true })) {
        const source = await subject.open(uri)
        const { bytes } = await fetchBytes(source)
        await source.close()
        expectSame(bytes, files.get(path) as Uint8Array)
      }
    })

    test('gives URIs of directories that list', async () => {
      await using subject = await make(files)
      const listed = await listAll(subject.source, { isRecursive: false })
      const source = await subject.open(listed.find(({ path }) => path === 'run1/')?.uri as string)
      expect(pathsOf(await listAll(source, { isRecursive: true }))).toEqual(['cal.g3', 'raw/x.g3', 'raw/y.g3'])
      await source.close()
    })

    test('names thousands', async () => {
      const many = new Map(Array.from({ length: 2345 }, (_, index) => [`n${index}`, Buffer.from('x')]))
      await using subject = await make(many)
      expect(pathsOf(await listAll(subject.source, { isRecursive: true }))).toEqual([...many.keys()].sort())
    })

    needs('missing')('rejects with NotFound for a place that is not there', async () => {
      await using subject = await make(files)
      const source = await subject.open(`${subject.source.uri}nowhere/`)
      expect(await failureOf(listAll(source, { isRecursive: true }))).toMatchObject({ code: 'NotFound' })
    })

    test('rejects with the reason of a signal that is already aborted', async () => {
      await using subject = await make(files)
      const reason = new Error('no more')
      const signal = AbortSignal.abort(reason)
      expect(await failureOf(listAll(subject.source, { isRecursive: true, signal }))).toBe(reason)
    })

    test('may be left in the middle', async () => {
      await using subject = await make(files)
      for await (const batch of listing(subject.source, { isRecursive: true })) {
        expect(batch.length).toBeGreaterThan(0)
        break
      }
      expect(pathsOf(await listAll(subject.source, { isRecursive: true }))).toHaveLength(NAMES.length)
    })
  })
}

type Asked = Partial<ListRequest> & Pick<ListRequest, 'isRecursive'>

function listing(source: Source, request: Asked): AsyncIterable<readonly Listed[]> {
  return source.list?.({ signal: new AbortController().signal, ...request }) as AsyncIterable<readonly Listed[]>
}

export async function listAll(source: Source, request: Asked): Promise<Listed[]> {
  const all: Listed[] = []
  for await (const batch of listing(source, request)) all.push(...batch)
  return all
}

function pathsOf(listed: readonly Listed[]): string[] {
  return listed.map(({ path }) => path).sort()
}
