/** A spool that the engine fetches into: a kill between the last byte and the commit costs no second fetch. */
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createEngine, download } from '@arriero/transfer'
import { expect, test } from 'vitest'
import { LocalPlace } from './local-place.ts'

const bytes = randomBytes(300_000)

test('what was fetched whole is found again by the next process, and proven before it counts', async () => {
  let served = 0
  const server = createServer((request, response) => {
    const [, from = '0', to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? []
    const part = bytes.subarray(Number(from), to ? Number(to) + 1 : bytes.length)
    const range = `bytes ${from}-${Number(from) + part.length - 1}/${bytes.length}`
    response.writeHead(request.headers.range ? 206 : 200, {
      'content-length': part.length,
      etag: '"1"',
      ...(request.headers.range ? { 'content-range': range } : {}),
    })
    if (request.method !== 'HEAD') served += part.length
    response.end(request.method === 'HEAD' ? undefined : part)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/f`
  await using place = await LocalPlace.make()
  await using engine = createEngine()
  const id = randomUUID()
  const fetch = async () => {
    // A store of its own each time, as after a restart.
    const store = await place.open()
    await using spool = await store.openSpool(id, { keepsLater: true })
    const checksums = [`sha256:${createHash('sha256').update(bytes).digest('hex')}`]
    await download(url, spool.path, { engine, checksums, size: bytes.length, ifExists: 'repair' })
    expect((await readFile(spool.path)).equals(bytes)).toBe(true)
    return spool.path
  }
  try {
    const path = await fetch()
    expect(served).toBe(bytes.length)
    await fetch()
    expect(served).toBe(bytes.length)
    await writeFile(path, Buffer.alloc(bytes.length))
    await fetch()
    expect(served).toBe(2 * bytes.length)
  } finally {
    server.closeAllConnections()
    server.close()
  }
})

test('bytes beyond what is known to be durable are gone for everybody else', async () => {
  await using place = await LocalPlace.make()
  const id = randomUUID()
  const first = await (await place.open()).openSpool(id)
  await writeFile(first.path, bytes)
  await first[Symbol.asyncDispose]()
  await using second = await (await place.open()).openSpool(id)
  expect(second.offset).toBe(0)
  expect(await readFile(second.path)).toHaveLength(0)
})
