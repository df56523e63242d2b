/** A big file into the librarian by tus, and out of it by GET; beside what the neighbours do. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { digestPath } from '@arriero/transfer'
import { FileStore } from '@tus/file-store'
import { Server } from '@tus/server'
import { startNginx } from '../../e2e/servers/nginx.ts'
import { makeBigFile } from '../inputs.ts'
import { type CaseOptions, type Figure, seconds } from './case.ts'
import { run } from './command.ts'
import { type Served, serve } from './serve.ts'
import { tusAddress } from './tus-address.ts'

const pieces = ['-H', 'Tus-Resumable: 1.0.0', '-H', 'Upload-Offset: 0', '-H', 'Expect:'] as const
const pieceType = ['-H', 'Content-Type: application/offset+octet-stream'] as const

export async function benchBytes(options: CaseOptions): Promise<Figure[]> {
  const root = join(options.directory, 'bytes')
  await mkdir(root)
  const source = await makeBigFile(root, options.size)
  const { digests } = await digestPath(source.path, { functions: ['xxh3'] })
  const home = join(root, 'librarian')
  await mkdir(home)
  const times = { ours: [], coreutils: [], tus: [] } as Record<string, number[]>
  const rates = { ours: [], nginx: [] } as Record<string, number[]>
  {
    await using served = await serve(home)
    await using plain = await plainTus(join(root, 'tus'))
    await using nginx = await startNginx({ root, tls: false })
    const mib = options.size / 2 ** 20
    for (let round = 0; round < options.rounds; round++) {
      const name = `big-${round}`
      await settle()
      times.ours!.push(await seconds(() => send(served, source.path, options.size, `xxh3:::${digests.xxh3}`, name)))
      await settle()
      times.coreutils!.push(await seconds(() => copyAndDigest(source.path, join(root, 'copy'))))
      await rm(join(root, 'copy'))
      await settle()
      times.tus!.push(await seconds(() => plain.send(source.path, options.size)))
      await plain.clear()
      const auth = ['-H', `Authorization: ${served.authorization}`]
      rates.ours!.push(mib / (await seconds(() => get(`${served.url}/api/v2/data/${name}`, auth))))
      rates.nginx!.push(mib / (await seconds(() => get(`${nginx.plain}/big.bin`, []))))
      const [sum] = (await run(['sha256sum', join(home, 'files', name)])).split(' ')
      if (sum !== source.sha256) throw new Error(`${name} is not what was sent`)
      await rm(join(home, 'files', name), { force: true })
    }
  }
  await rm(root, { recursive: true, force: true })
  const ratio = (over: readonly number[], under: readonly number[]) => over.map((value, index) => value / under[index]!)
  return [
    { what: 'tus upload, verified and synced', unit: 's', values: times.ours! },
    { what: 'cp, sync, sha256sum', unit: 's', values: times.coreutils!, isBaseline: true },
    { what: 'plain tus server, then sha256', unit: 's', values: times.tus!, isBaseline: true },
    {
      what: 'speed beside cp, sync, sha256sum',
      unit: '×',
      values: ratio(times.coreutils!, times.ours!),
      target: '≥ 0.8',
    },
    { what: 'speed beside a plain tus server', unit: '×', values: ratio(times.tus!, times.ours!), target: '≥ 1.2' },
    { what: 'GET by curl', unit: 'MiB/s', values: rates.ours! },
    { what: 'GET by curl from nginx', unit: 'MiB/s', values: rates.nginx!, isBaseline: true },
    { what: 'GET beside nginx', unit: '×', values: ratio(rates.ours!, rates.nginx!), target: '≥ 0.7' },
  ]
}

/** Nothing of an earlier run is still on its way to the disk. */
async function settle(): Promise<void> {
  await run(['sync'])
}

async function send(
  { librarian, url, user, authorization }: Served,
  path: string,
  size: number,
  checksum: string,
  name: string,
): Promise<void> {
  const staged = await librarian.upload.stage({
    upload_size: size,
    upload_checksum: checksum,
    upload_name: name,
    destination_location: name,
    uploader: user,
  })
  const target = tusAddress(url, staged.transfer_providers)
  const auth = ['-H', `Authorization: ${authorization}`]
  await run(['curl', '-sSf', '-X', 'PATCH', '-T', path, ...pieces, ...pieceType, ...auth, target])
  await librarian.upload.commit({
    store_name: staged.store_name,
    staging_name: staged.staging_name,
    staging_location: staged.staging_location,
    upload_name: staged.upload_name,
    destination_location: staged.destination_location,
    transfer_provider_name: 'http',
    transfer_provider: { hostnames: [] },
    meta_mode: 'infer',
    deletion_policy: 'DISALLOWED',
    uploader: user,
    transfer_id: staged.transfer_id,
  })
}

async function copyAndDigest(from: string, to: string): Promise<void> {
  await run(['cp', from, to])
  await run(['sync', to])
  await run(['sha256sum', to])
}

async function get(url: string, headers: readonly string[]): Promise<void> {
  await run(['curl', '-sSf', '-o', '/dev/null', ...headers, url])
}

/** The library's own server with its own file store; the digest is taken when the upload has ended. */
async function plainTus(directory: string) {
  await mkdir(directory)
  const clear = async () => {
    await rm(directory, { recursive: true, force: true })
    await mkdir(directory)
  }
  const tus = new Server({ path: '/files', datastore: new FileStore({ directory }) })
  const server = createServer((request, response) => void tus.handle(request, response))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    clear,
    async send(path: string, size: number) {
      const made = await fetch(`${origin}/files`, {
        method: 'POST',
        headers: { 'Tus-Resumable': '1.0.0', 'Upload-Length': String(size) },
      })
      const location = new URL(made.headers.get('location') ?? '', origin).href
      await run(['curl', '-sSf', '-X', 'PATCH', '-T', path, ...pieces, ...pieceType, location])
      const hash = createHash('sha256')
      await pipeline(
        createReadStream(join(directory, location.split('/').at(-1) ?? ''), { highWaterMark: 2 ** 20 }),
        hash,
      )
      hash.digest('hex')
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise(closed => server.close(closed))
    },
  }
}
