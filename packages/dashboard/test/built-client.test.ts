/** The client as it is built for the pages: without the schemas, and without what of the table only servers need. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'vite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { createClient as CreateClient } from '../src/api/client.ts'
import { type StandIn, startStandIn } from './stand-in/server.ts'

let dist: string
let createClient: typeof CreateClient
let server: StandIn

beforeAll(async () => {
  dist = await mkdtemp(join(tmpdir(), 'client-'))
  const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
  const lib = { entry: here('../src/api/client.ts'), formats: ['es' as const], fileName: () => 'client.mjs' }
  await build({
    configFile: here('../vite.config.ts'),
    logLevel: 'silent',
    build: { outDir: dist, lib, minify: false },
  })
  const module: { createClient: typeof CreateClient } = await import(pathToFileURL(join(dist, 'client.mjs')).href)
  createClient = module.createClient
  server = await startStandIn()
}, 120_000)

afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
  await rm(dist, { recursive: true, force: true })
})

/** As a browser would: it keeps the cookie. */
async function logIn() {
  const body = JSON.stringify({ username: 'ada', password: 'ada' })
  const begun = await fetch(`${server.url}/api/v2/session/begin`, { method: 'POST', body })
  const { csrf } = (await begun.json()) as { csrf: string }
  const cookie = begun.headers.get('set-cookie')!.split(';')[0]!
  const withCookie: typeof fetch = (input, init) => {
    const headers = new Headers(init?.headers)
    headers.set('cookie', cookie)
    return fetch(input, { ...init, headers })
  }
  return createClient({ fetch: withCookie, origin: server.url, csrf: () => csrf, onDenied: () => {} })
}

test('it greets, reads and changes as the table says', async () => {
  const api = await logIn()
  expect(await api.greet()).toMatchObject({ version: '0.1.0' })
  const { files, total } = await api.dashboard.files({ query: 'night-000 science', limit: 3 })
  expect(files.map(({ file_name }) => file_name)).toEqual([
    'night-000/frame-0001-science.fits',
    'night-000/frame-0002-science.fits',
    'night-000/frame-0004-science.fits',
  ])
  expect(total).toBe(332)
  const removed = await api.deletion.remove({
    file_name: files[0]!.file_name,
    store_name: 'disk-02',
    reason: 'tried',
  })
  expect(removed).toMatchObject({ success: true, trash_id: 'a1' })
})

test('a failure keeps its words and its remedy', async () => {
  const api = await logIn()
  await expect(api.dashboard.file({ file_name: 'none' })).rejects.toMatchObject({
    code: 'NotFound',
    message: 'This file does not exist in the librarian.',
    remedy: expect.stringContaining('nothing here is called so'),
  })
})
