/** The manual as a librarian serves it: to everybody, and nothing but the manual. */
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createManualFeature } from '../src/features/manual.ts'
import { startRawApp } from './raw-app.ts'

let folder: string
let pages: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'arriero-manual-'))
  pages = join(folder, 'dist')
  await mkdir(join(pages, 'api', 'functions'), { recursive: true })
  await mkdir(join(pages, 'folder.html'))
  await writeFile(join(folder, 'secret.html'), 'secret')
  await writeFile(join(pages, 'index.html'), '<h1>Manual</h1>')
  await writeFile(join(pages, '.hidden.html'), 'secret')
  await writeFile(join(pages, 'odd.sh'), 'secret')
  await writeFile(join(pages, 'style.css'), 'p {}')
  await writeFile(join(pages, 'chain.svg'), '<svg/>')
  await writeFile(join(pages, 'api', 'index.html'), 'Reference')
  await writeFile(join(pages, 'api', 'functions', 'transfer.download.html'), 'download()')
  await symlink(join(folder, 'secret.html'), join(pages, 'link.html'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const start = () => startRawApp({ rawRoutes: createManualFeature(pages).rawRoutes ?? [] })

test('anybody may read pages, styles and pictures, each with its type and a policy that allows no script', async () => {
  await using app = await start()
  for (const [path, type, text] of [
    ['', 'text/html; charset=utf-8', '<h1>Manual</h1>'],
    ['index.html?from=mail', 'text/html; charset=utf-8', '<h1>Manual</h1>'],
    ['style.css', 'text/css; charset=utf-8', 'p {}'],
    ['chain.svg', 'image/svg+xml; charset=utf-8', '<svg/>'],
  ]) {
    const answer = await fetch(`${app.origin}/docs/${path}`)
    expect([answer.status, answer.headers.get('content-type'), await answer.text()]).toEqual([200, type, text])
    const policy = answer.headers.get('content-security-policy')
    expect(policy).toMatch(/^default-src 'none'; .*frame-ancestors 'none'$/)
    expect(policy).not.toContain('script-src')
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
  }
})

test('the reference of the libraries may run its own scripts, and nobody else’s', async () => {
  await using app = await start()
  for (const path of ['api/', 'api/functions/transfer.download.html']) {
    const answer = await fetch(`${app.origin}/docs/${path}`)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-security-policy')).toContain("script-src 'self';")
  }
})

test('/docs leads to /docs/, also below a path of a proxy', async () => {
  await using app = await start()
  const answer = await fetch(`${app.origin}/docs`, { redirect: 'manual' })
  expect([answer.status, answer.headers.get('location')]).toEqual([308, 'docs/'])
})

test('a page that a browser has is not sent again until it is written anew', async () => {
  await using app = await start()
  const url = `${app.origin}/docs/style.css`
  const etag = (await fetch(url)).headers.get('etag') ?? ''
  expect((await fetch(url, { headers: { 'if-none-match': etag } })).status).toBe(304)
  await writeFile(join(pages, 'style.css'), 'p { color: red }')
  expect(await (await fetch(url, { headers: { 'if-none-match': etag } })).text()).toBe('p { color: red }')
})

test('HEAD has the head alone, and nothing can be written', async () => {
  await using app = await start()
  const head = await fetch(`${app.origin}/docs/`, { method: 'HEAD' })
  expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '15', ''])
  for (const method of ['POST', 'PUT', 'DELETE'])
    expect((await fetch(`${app.origin}/docs/index.html`, { method })).status).toBe(404)
})

test('no path leads out of the directory, to hidden files, links, directories, or kinds that no page has', async () => {
  await using app = await start()
  for (const path of [
    '../secret.html',
    'api/../../secret.html',
    '..%2fsecret.html',
    '%2e%2e/secret.html',
    '..%5csecret.html',
    './index.html/../../secret.html',
    '/etc/passwd',
    '//etc/passwd',
    '.hidden.html',
    'link.html',
    'folder.html',
    'odd.sh',
    'index.html%00.css',
    'api',
    'index',
  ]) {
    const answer = await app.exchange(`GET /docs/${path} HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n`)
    expect(answer, path).toMatch(/^HTTP\/1\.1 40[04] /)
    expect(answer, path).not.toMatch(/\r\n\r\n(?:secret|root:)/)
  }
})

test('where it is not built, one line says how to build it', async () => {
  await rm(pages, { recursive: true })
  await using app = await start()
  const answer = await fetch(`${app.origin}/docs/`)
  expect(answer.status).toBe(404)
  expect(await answer.text()).toMatch(/^The manual is not built here: run `npm run docs:build` [^\n]*\n$/)
})
