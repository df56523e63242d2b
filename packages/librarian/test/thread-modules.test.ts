/** A thread has its own copy of every module: what all of them load is memory times the number of threads. */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'

const source = (path: string) => fileURLToPath(new URL(`../src/${path}`, import.meta.url))

/** Loads modules as a thread does, and tells what that took: packages by name, our own files by path. */
const watch = `
  const { registerHooks } = require('node:module')
  const { parentPort, workerData } = require('node:worker_threads')
  const urls = []
  registerHooks({ load: (url, context, next) => (urls.push(url), next(url, context)) })
  Promise.all(workerData.load.map(path => import(path).catch(() => {}))).then(() => parentPort.postMessage(urls))
`

async function loadedBy(...paths: readonly string[]): Promise<string[]> {
  // A catalogue that is not there: a worker that opens one at once is refused, and has loaded what it needs by then.
  const path = join(tmpdir(), 'nowhere', 'catalogue.sqlite')
  const workerData = { load: paths.map(source), path }
  const options = { eval: true, workerData, execArgv: ['--conditions=source'] }
  const worker = new Worker(watch, options)
  try {
    // A worker also tells what it is made for: only the last word of ours is a list.
    const urls = await new Promise<string[]>((resolve, reject) => {
      worker.on('message', told => Array.isArray(told) && resolve(told))
      worker.once('error', reject)
    })
    return [...new Set(urls.flatMap(nameOf))].toSorted()
  } finally {
    await worker.terminate()
  }
}

function nameOf(url: string): string[] {
  if (url.startsWith('node:') || url.startsWith('data:')) return []
  const [, inside] = /\/node_modules\/((?:@[^/]+\/)?[^/]+)(?!.*\/node_modules\/)/.exec(url) ?? []
  if (inside !== undefined && !inside.startsWith('@arriero/')) return [inside]
  return [url.slice(url.lastIndexOf('/packages/') + '/packages/'.length)]
}

/** Packages of others, and what is loaded of ours beside the librarian. */
const packages = (loaded: readonly string[]) => loaded.filter(name => !name.includes('/src/'))
const beside = (loaded: readonly string[]) =>
  loaded.filter(name => /^(api|client|transfer)\/src\/[^/]+\.ts$/.test(name))

test('a store’s thread loads what reads and writes local paths, and no network, no schemas', async () => {
  const loaded = await loadedBy('stores/local/store-worker.ts')
  expect(loaded).toContain('librarian/src/stores/local/store-worker.ts')
  expect(packages(loaded)).toEqual([])
  expect(beside(loaded)).toEqual([
    'api/src/errors.ts',
    'transfer/src/errors.ts',
    'transfer/src/paths.ts',
    'transfer/src/redact.ts',
    'transfer/src/shared-memory.ts',
  ])
})

test('a thread of the catalogue loads the database and the operations, and no schemas of the wire', async () => {
  for (const worker of ['reader-worker', 'writer-worker']) {
    const loaded = await loadedBy(`catalogue/sqlite/${worker}.ts`, 'catalogue/operations/index.ts')
    expect(loaded).toContain(`librarian/src/catalogue/sqlite/${worker}.ts`)
    expect(packages(loaded)).toEqual(['better-sqlite3', 'kysely'])
    expect(beside(loaded)).toEqual(['api/src/errors.ts'])
  }
})

test('the thread for upkeep of the catalogue loads no more than the database', async () => {
  const loaded = await loadedBy('catalogue/sqlite/maintenance-worker.ts')
  expect(packages(loaded)).toEqual(['better-sqlite3'])
  expect(beside(loaded)).toEqual(['api/src/errors.ts'])
})
