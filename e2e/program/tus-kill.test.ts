/** A real server that is killed while bytes come: what it tells afterwards is there, and the rest goes on from it. */
import { createHash, randomBytes } from 'node:crypto'
import { glob, mkdtemp, rm, stat } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, endpoints } from '@arriero/api'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeContent } from '../../packages/librarian/src/stores/memory-content.ts'
import { type RunningLibrarian, startLibrarian } from './serve.ts'

let folder!: string
let site!: RunningLibrarian
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'arriero-tus-kill-'))
  site = await startLibrarian(folder)
}, 90_000)
afterAll(async () => {
  await site?.stop()
  await rm(folder, { recursive: true, force: true })
})

const login = { user: 'admin', password: 'admin-password' }
const headers = {
  authorization: `Basic ${Buffer.from('admin:admin-password').toString('base64')}`,
  'tus-resumable': '1.0.0',
}

test('killed twice in the middle of a PATCH: HEAD tells no more than what is there, and the whole has its digest', async () => {
  const size = 48 << 20
  const content = randomBytes(size)
  const { checksum } = await describeContent(content, undefined)
  const librarian = connect({ url: site.url, ...login })
  const staged = await librarian.call(endpoints.upload.stage, {
    upload_size: size,
    upload_checksum: checksum,
    upload_name: 'big.bin',
    destination_location: 'kept/big.bin',
    uploader: 'admin',
  })
  const address = site.url + (staged.transfer_providers.http as unknown as { url: string }).url
  let offset = 0
  for (const until of [10 << 20, 30 << 20]) {
    await sendAndKill(address, content, offset, until)
    await site.start()
    const told = await offsetOf(address)
    expect(told).toBeGreaterThanOrEqual(offset)
    expect(told).toBeLessThanOrEqual(until)
    offset = told
    // A piece that was answered is there whatever happens.
    const step = await fetch(address, {
      method: 'PATCH',
      headers: { ...headers, 'content-type': 'application/offset+octet-stream', 'upload-offset': String(offset) },
      body: content.subarray(offset, offset + (4 << 20)),
    })
    expect(step.status).toBe(204)
    offset += 4 << 20
    await site.kill()
    await site.start()
    expect(await offsetOf(address)).toBe(offset)
  }
  const rest = await fetch(address, {
    method: 'PATCH',
    headers: { ...headers, 'content-type': 'application/offset+octet-stream', 'upload-offset': String(offset) },
    body: content.subarray(offset),
  })
  expect(rest.status).toBe(204)
  await librarian.call(endpoints.upload.commit, {
    store_name: staged.store_name,
    staging_name: staged.staging_name,
    staging_location: staged.staging_location,
    upload_name: 'big.bin',
    destination_location: 'kept/big.bin',
    transfer_provider_name: 'http',
    transfer_provider: { hostnames: [] },
    meta_mode: 'infer',
    deletion_policy: 'DISALLOWED',
    uploader: 'admin',
    transfer_id: staged.transfer_id,
  })
  const got = await fetch(`${site.url}/api/v2/data/kept/big.bin`, { headers })
  const digest = createHash('sha256').update(content).digest('base64')
  expect(got.headers.get('repr-digest')).toBe(`sha-256=:${digest}:`)
  expect(Buffer.from(await got.arrayBuffer()).equals(content)).toBe(true)
}, 180_000)

/** Bytes of uploads on their way that are in files by now. */
async function spooled(): Promise<number> {
  let sum = 0
  for await (const path of glob('**/.arriero/spool/*', { cwd: folder })) sum += (await stat(join(folder, path))).size
  return sum
}

async function offsetOf(address: string): Promise<number> {
  const answer = await fetch(address, { method: 'HEAD', headers })
  expect(answer.status).toBe(200)
  return Number(answer.headers.get('upload-offset'))
}

/** Sends up to `until` on one connection, and kills the server in the middle of it. */
async function sendAndKill(address: string, content: Buffer, from: number, until: number): Promise<void> {
  const sending = request(address, {
    method: 'PATCH',
    headers: {
      ...headers,
      'content-type': 'application/offset+octet-stream',
      'upload-offset': from,
      'content-length': content.length - from,
    },
  })
  sending.on('error', () => {})
  for (let at = from; at < until; at += 1 << 20) sending.write(content.subarray(at, Math.min(at + (1 << 20), until)))
  await expect.poll(spooled, { timeout: 30_000 }).toBeGreaterThan(from + (until - from) / 2)
  await site.kill()
  sending.destroy()
}
