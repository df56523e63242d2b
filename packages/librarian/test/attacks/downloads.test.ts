/** What leaves the house by HTTP: headers that no name can break, and nothing that a browser would run (reliability 6). */
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import { basic } from '../house.ts'
import { attack, expectGeneric } from './attack.ts'
import { openSite, type Site } from './site.ts'

let site: Site
beforeAll(async () => {
  site = await openSite()
})
afterAll(() => site[Symbol.asyncDispose]())

const pathOf = (name: string) => `/api/v2/data/${name.split('/').map(encodeURIComponent).join('/')}`

for (const name of [
  'a"; filename="evil.exe',
  "it's",
  'a;b=c',
  'a%0d%0aSet-Cookie: x',
  '%22',
  'página web.html',
  '<script>alert(1)</script>',
  '=cmd|calc!A1',
  '日本語.fits',
  'a, b',
]) {
  attack('download names', `${JSON.stringify(name)} stays within its header`, async () => {
    expect((await site.keep(name, `<script>${name}</script>`)).status).toBe(200)
    const { status, headers, text } = await site.call('GET', pathOf(name), { as: 'readonly' })
    expect([status, text]).toEqual([200, `<script>${name}</script>`])
    const told = headers.get('content-disposition')!
    expect(told).toMatch(/^attachment; filename="[^"\\%\r\n]*"(; filename\*=UTF-8''[A-Za-z0-9!#$&+.^_`|~%-]+)?$/)
    const extended = /filename\*=UTF-8''(.*)$/.exec(told)?.[1]
    const last = name.slice(name.lastIndexOf('/') + 1)
    expect(extended === undefined ? /filename="(.*)"/.exec(told)![1] : decodeURIComponent(extended)).toBe(last)
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('content-type')).toBe('application/octet-stream')
    expect(headers.get('set-cookie')).toBe(null)
  })
}

attack('download names', 'every answer forbids to guess its type, failures too', async () => {
  for (const [method, path] of [
    ['GET', '/nowhere'],
    ['GET', '/api/v2/data/nothing'],
    ['POST', '/api/v2/ping'],
    ['POST', '/api/v2/nowhere'],
    ['GET', '/health'],
    ['GET', '/ga4gh/drs/v1/objects/x'],
    ['HEAD', '/api/v2/upload/bytes/x'],
  ] as const) {
    const { headers } = await site.call(method, path, { as: 'admin' })
    expect([path, headers.get('x-content-type-options')]).toEqual([path, 'nosniff'])
    expect(headers.get('content-type') ?? 'application/json').not.toContain('html')
  }
})

for (const [what, range] of [
  ['many ranges', `bytes=${Array.from({ length: 1000 }, (_, at) => `${at}-${at}`).join()}`],
  ['overlapping ranges', 'bytes=0-,0-,0-'],
  ['an end beyond all numbers', 'bytes=0-99999999999999999999'],
  ['a start beyond all numbers', 'bytes=99999999999999999999-'],
  ['a negative length', 'bytes=--5'],
  ['another unit', 'lines=1-2'],
  ['no numbers', 'bytes=a-b'],
] as const) {
  attack('download ranges', `${what} cost no more than the file, and give nothing else of it`, async () => {
    await site.keep('ranged', '0123456789')
    const { status, text } = await site.call('GET', pathOf('ranged'), { as: 'readonly', headers: { range } })
    expect([200, 206, 416]).toContain(status)
    expect('0123456789').toContain(text)
  })
}

attack('download ranges', 'bytes that are not what they were are not given as if they were', async () => {
  await site.keep('rotten', 'good bytes')
  const path = join(site.directory, 'files/rotten')
  await chmod(path, 0o640)
  await writeFile(path, 'evil bytes')
  const answer = await site.call('GET', pathOf('rotten'), { as: 'readonly' })
  expect(answer.status).toBeGreaterThanOrEqual(400)
  expect(answer.text).not.toContain('evil')
  expectGeneric(site, answer)
})

attack('guessing', 'data that is not there and data that one may not read are told apart by nobody below', async () => {
  await site.keep('private', 'x')
  const ask = (name: string, as: string) => site.call('GET', pathOf(name), { as })
  for (const as of ['none', '']) {
    const [there, not] = [await ask('private', as), await ask('nothing', as)]
    expect([there.status, there.text]).toEqual([401, not.text])
    expect(not.status).toBe(401)
  }
})

attack('download names', 'a target in absolute form names no other host’s files', async () => {
  const { text } = await site.raw(
    `GET http://evil.example${pathOf('ranged')} HTTP/1.1\r\nhost: x\r\nauthorization: ${basic('readonly')}\r\nconnection: close\r\n\r\n`,
  )
  expect(text).toMatch(/^HTTP\/1\.1 (200|400|404) /)
  expect(text).not.toContain('evil.example')
})
