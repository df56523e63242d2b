/** Calls a second, and the server's memory. */
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { digestPath } from '@arriero/transfer'
import { makeBigFile } from '../inputs.ts'
import type { CaseOptions, Figure } from './case.ts'
import { run } from './command.ts'
import { type Served, serve } from './serve.ts'
import { tusAddress } from './tus-address.ts'

const autocannon = new URL('../../node_modules/autocannon/autocannon.js', import.meta.url).pathname
const connections = '32'
const uploads = 200
const uploadBytes = 16 * 2 ** 20

export async function benchCalls(options: CaseOptions): Promise<Figure[]> {
  const root = join(options.directory, 'calls')
  await mkdir(root)
  const [idle, busy, ping, hit]: [number[], number[], number[], number[]] = [[], [], [], []]
  {
    await using served = await serve(root)
    await sleep(3000)
    idle.push((await served.rss()) / 2 ** 20)
    const file = await makeBigFile(options.directory, uploadBytes, 'many.bin')
    const { digests } = await digestPath(file.path, { functions: ['xxh3'] })
    const sent = { path: file.path, checksum: `xxh3:::${digests.xxh3}` }
    await sendOne(served, sent, 'found/me')
    for (let round = 0; round < options.rounds; round++) {
      ping.push(await calls(served, 'ping/logged', {}))
      hit.push(await calls(served, 'search/file', { name: 'found/me' }))
    }
    busy.push(await memoryUnderUploads(served, sent))
    await rm(file.path)
  }
  await rm(root, { recursive: true, force: true })
  return [
    { what: 'ping/logged, 32 connections', unit: 'calls/s', values: ping, target: '≥ 5,000' },
    { what: 'search/file with a hit, 32 connections', unit: 'calls/s', values: hit, target: '≥ 5,000' },
    { what: 'resident memory, idle', unit: 'MiB', values: idle, target: '≤ 200' },
    { what: `resident memory, ${uploads} uploads at once`, unit: 'MiB', values: busy, target: '≤ 500' },
  ]
}

async function calls({ url, authorization }: Served, path: string, body: object): Promise<number> {
  const headers = ['-H', `Authorization=${authorization}`, '-H', 'Content-Type=application/json']
  const report = await run([
    process.execPath,
    ...[autocannon, '-j', '-c', connections, '-d', '5', '-m', 'POST', ...headers],
    ...['-b', JSON.stringify(body), `${url}/api/v2/${path}`],
  ])
  const { requests, non2xx, errors } = JSON.parse(report)
  if (non2xx > 0 || errors > 0) throw new Error(`${path}: ${non2xx} wrong answers, ${errors} errors`)
  return requests.average
}

interface Sent {
  readonly path: string
  readonly checksum: string
}

/** The most while all of them run. */
async function memoryUnderUploads(served: Served, sent: Sent): Promise<number> {
  let most = 0
  let isDone = false
  const watch = async () => {
    while (!isDone) {
      most = Math.max(most, await served.rss())
      await sleep(50)
    }
  }
  const sending = Promise.all(Array.from({ length: uploads }, (_, index) => sendOne(served, sent, `many/${index}`)))
  await Promise.all([sending.finally(() => (isDone = true)), watch()])
  return most / 2 ** 20
}

async function sendOne(
  { librarian, url, user, authorization }: Served,
  { path, checksum }: Sent,
  name: string,
): Promise<void> {
  const staged = await librarian.upload.stage({
    upload_size: uploadBytes,
    upload_checksum: checksum,
    upload_name: name.split('/').at(-1) ?? name,
    destination_location: name,
    uploader: user,
  })
  const target = tusAddress(url, staged.transfer_providers)
  // Slow enough that all of them are under way together.
  await run([
    ...(['curl', '-sSf', '-X', 'PATCH', '-T', path, '--limit-rate', '2M'] as const),
    ...['-H', 'Tus-Resumable: 1.0.0', '-H', 'Upload-Offset: 0', '-H', 'Expect:'],
    ...['-H', 'Content-Type: application/offset+octet-stream', '-H', `Authorization: ${authorization}`, target],
  ])
  const { outcomes } = await librarian.upload.batchCommit({
    commits: [{ transfer_id: staged.transfer_id, transfer_provider_name: 'http' }],
  })
  if (!outcomes[0]?.success) throw new Error(`a commit failed: ${JSON.stringify(outcomes[0])}`)
}
