import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { listing } from '../../../test/s3-server/listing.ts'
import { storedObject } from '../../../test/s3-server/objects.ts'
import { fanOut } from './fan-out.ts'
import { compareKeys } from './key-order.ts'
import { type ListPage, parseListPage } from './list-page.ts'
import type { PageQuestion } from './list-pages.ts'

const EMPTY = storedObject(new Uint8Array(0))

/** Pages of a store that takes its time. */
function storeOf(keys: readonly string[], { perPage = 1000, latencyMs = 0 } = {}) {
  const objects = new Map(keys.map(key => [key, EMPTY]))
  const count = { pages: 0, atOnce: 0, most: 0 }
  const get = async ({ prefix, delimiter, after, token }: PageQuestion) => {
    count.pages++
    count.most = Math.max(count.most, ++count.atOnce)
    await new Promise(resolve => (latencyMs > 0 ? setTimeout(resolve, latencyMs) : setImmediate(resolve)))
    count.atOnce--
    const query = new URLSearchParams({ prefix, 'max-keys': String(perPage), 'encoding-type': 'url' })
    if (delimiter) query.set('delimiter', delimiter)
    if (token !== undefined) query.set('continuation-token', token)
    else if (after !== undefined) query.set('start-after', after)
    return parseListPage(Buffer.from(listing(objects, query, { isOld: false })), 's3://data/')
  }
  return { get, count }
}

/** Pages that take time and next to no work: what is measured is waiting. */
function quickStore(sorted: readonly string[], latencyMs: number): ReturnType<typeof storeOf> {
  const count = { pages: 0, atOnce: 0, most: 0 }
  const get = async ({ prefix, delimiter, after = '', token = after }: PageQuestion): Promise<ListPage> => {
    count.pages++
    await new Promise(resolve => setTimeout(resolve, latencyMs))
    let [low, high] = [0, sorted.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((sorted[middle] as string) > token) high = middle
      else low = middle + 1
    }
    const names: string[] = []
    for (; low < sorted.length && names.length < 1000; low++) {
      const key = sorted[low] as string
      const cut = delimiter ? key.indexOf('/', prefix.length) + 1 : 0
      const name = cut > 0 ? key.slice(0, cut) : key
      if (key.startsWith(prefix) && name !== names.at(-1)) names.push(name)
    }
    const objects = names.filter(name => !delimiter || !name.endsWith('/'))
    const prefixes = delimiter ? names.filter(name => name.endsWith('/')) : []
    const more = { size: 1, etag: undefined, lastModified: undefined, storageClass: undefined, isRestored: false }
    const isTruncated = low < sorted.length
    return {
      objects: objects.map(key => ({ key, ...more })),
      prefixes,
      isTruncated,
      token: names.at(-1),
      marker: undefined,
    }
  }
  return { get, count }
}

async function keysBelow(pages: ReturnType<typeof storeOf>, prefix: string, atOnce?: number): Promise<string[]> {
  const signal = new AbortController().signal
  const keys: string[] = []
  for await (const batch of fanOut(pages, { prefix, uri: 's3://data/', signal, atOnce })) {
    keys.push(...batch.map(({ key }) => key))
  }
  return keys
}

const pad = (index: number) => String(index).padStart(5, '0')

describe('fanOut()', () => {
  test('names every key once, whatever the tree', async () => {
    const name = fc.stringMatching(/^[ab\u00e9\ufffd😀/]{1,6}$/u)
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(name, { maxLength: 120 }),
        fc.integer({ min: 1, max: 7 }),
        async (keys, perPage) => {
          const store = storeOf(keys, { perPage })
          const found = await keysBelow(store, 'a')
          expect(found.sort(compareKeys)).toEqual(keys.filter(key => key.startsWith('a')).sort(compareKeys))
          expect(store.count.most).toBeLessThanOrEqual(16)
        },
      ),
      { numRuns: 300 },
    )
  })

  test.each([
    ['many directories', Array.from({ length: 40_000 }, (_, index) => `d${pad(index % 50)}/${pad(index)}`), 0.5],
    [
      'one deep one above them',
      Array.from({ length: 40_000 }, (_, index) => `a/b/${pad(index % 40)}/${pad(index)}`),
      0.5,
    ],
    [
      'a directory per file, where nothing tells what lies further ahead',
      Array.from({ length: 40_000 }, (_, index) => `${pad(index)}/file`),
      1.2,
    ],
  ])('waits less where each page takes its time: %s', async (shape, keys, share) => {
    const sorted = [...keys].sort()
    const timed = async (atOnce: number | undefined) => {
      const store = quickStore(sorted, 30)
      const before = performance.now()
      expect(new Set(await keysBelow(store, '', atOnce)).size).toBe(keys.length)
      return { ms: Math.round(performance.now() - before), pages: store.count.pages }
    }
    const one = await timed(1)
    const many = await timed(undefined)
    console.info(`${shape}: ${one.pages} pages ${one.ms} ms; fanned out ${many.pages} pages ${many.ms} ms`)
    expect(many.ms).toBeLessThan(one.ms * share)
    expect(many.pages).toBeLessThan(one.pages * 2)
  })

  test('one long level is read page by page, with few questions in vain', async () => {
    const store = storeOf(Array.from({ length: 20_000 }, (_, index) => `n${pad(index)}`))
    expect(await keysBelow(store, '')).toHaveLength(20_000)
    expect(store.count.pages).toBeLessThan(30)
  })

  test('a short listing is one page', async () => {
    const store = storeOf(['a/1', 'b/2', 'c'])
    expect(await keysBelow(store, '')).toHaveLength(3)
    expect(store.count.pages).toBe(1)
  })

  test('a failure of one range ends it all; what was under way is waited for', async () => {
    const store = storeOf(Array.from({ length: 9000 }, (_, index) => `${index % 9}/${pad(index)}`))
    const get = async (question: PageQuestion) => {
      if (store.count.pages > 6) throw new Error('no more')
      return store.get(question)
    }
    await expect(keysBelow({ ...store, get }, '')).rejects.toThrow('no more')
    expect(store.count.atOnce).toBe(0)
  })
})

test('compareKeys() orders as the bytes of UTF-8 do', () => {
  const text = fc.string({ unit: 'binary', maxLength: 4 }).filter(one => one.isWellFormed())
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(Math.sign(compareKeys(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)))
    }),
    { numRuns: 2000 },
  )
})
