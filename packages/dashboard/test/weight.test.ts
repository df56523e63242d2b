import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'vite'
import { afterAll, beforeAll, expect, test } from 'vitest'

const MOST_BYTES = 80_000

let dist: string
let files: readonly { readonly name: string; readonly text: string }[]

beforeAll(async () => {
  dist = await mkdtemp(join(tmpdir(), 'pages-'))
  const configFile = fileURLToPath(new URL('../vite.config.ts', import.meta.url))
  await build({ configFile, logLevel: 'silent', build: { outDir: dist, emptyOutDir: true } })
  const names = await readdir(dist, { recursive: true })
  const texts = names.filter(name => /\.(js|css|html)$/.test(name))
  files = await Promise.all(texts.map(async name => ({ name, text: await readFile(join(dist, name), 'utf8') })))
}, 120_000)

afterAll(() => rm(dist, { recursive: true, force: true }))

test('all JavaScript together, compressed, is at most 80 kB', () => {
  const scripts = files.filter(({ name }) => name.endsWith('.js'))
  const weights = scripts.map(({ name, text }) => ({ name, bytes: gzipSync(text, { level: 9 }).length }))
  const sum = weights.reduce((total, { bytes }) => total + bytes, 0)
  expect(scripts.length).toBeGreaterThan(3)
  expect(sum, JSON.stringify(weights)).toBeLessThanOrEqual(MOST_BYTES)
})

test('the pages need nothing that the policy of the server forbids', () => {
  const index = files.find(({ name }) => name === 'index.html')!.text
  const addresses = [...index.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, address]) => address!)
  expect(addresses.length).toBeGreaterThan(1)
  expect(addresses.filter(address => !address.startsWith('/dashboard/assets/'))).toEqual([])
  expect(index).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=/)
  const made = files.filter(({ text }) => /\beval\(|new Function\(|dangerouslySetInnerHTML:/.test(text))
  expect(made.map(({ name }) => name)).toEqual([])
  const inCss = files.filter(({ name, text }) => name.endsWith('.css') && /url\(|@import/.test(text))
  expect(inCss.map(({ name }) => name)).toEqual([])
})
