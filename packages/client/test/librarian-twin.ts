/**
 * A librarian on loopback that keeps everything in memory and fails as a test tells it to: for what a real one does not do on
 * demand. What it answers goes through the same table as a real one's answers.
 */
import { createHash, randomUUID } from 'node:crypto'
import { mkdir, stat } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { hostname } from 'node:os'
import { join } from 'node:path'
import {
  type Endpoint,
  endpoints,
  IDEMPOTENCY,
  LibrarianError,
  parseRequest,
  toAnswer,
  toFailureBody,
} from '@arriero/api'
import { digestPath } from '@arriero/transfer'

export interface LibrarianTwinOptions {
  /** Where it lets callers copy to. */
  readonly staging: string
  /** Ways that it offers, in order. Default both. */
  readonly ways?: readonly ('local' | 'http')[]
  /** A release of old: no batches, no idempotency, and no second commit. Default false. */
  readonly isOld?: boolean
}

export interface Kept {
  readonly size: number
  readonly checksum: string
  readonly policy: string
  /** Of its only copy. Undefined: a release that tells none. */
  readonly state?: string
}

interface Announced {
  readonly id: number
  readonly name: string
  readonly size: number
  readonly checksum: string
  readonly location: string
  bytes: Buffer
  isDone: boolean
}

export interface LibrarianTwin {
  readonly url: string
  readonly files: Map<string, Kept>
  /** Path of each call, in order. */
  readonly calls: string[]
  /** Asked before each call is answered: throws what is answered instead, or says `lose` to do it and break the connection. */
  disturb: (path: string) => 'lose' | undefined
  /** Take this many bytes of the next PATCH, then break the connection. */
  cutAfter: number | undefined
  close(): Promise<void>
}

export async function startLibrarianTwin(options: LibrarianTwinOptions): Promise<LibrarianTwin> {
  const { staging, ways = ['local', 'http'], isOld = false } = options
  const files = new Map<string, Kept>()
  const announced = new Map<number, Announced>()
  const answered = new Map<string, unknown>()
  let next = 1

  async function stage(request: {
    upload_size: number
    upload_checksum: string
    upload_name: string
    destination_location: string
  }) {
    const name = request.destination_location
    if (files.has(name)) throw new LibrarianError('FileExists', `${name} exists.`)
    const id = next++
    const uuid = randomUUID()
    await mkdir(join(staging, uuid))
    const location = join(staging, uuid, request.upload_name)
    const { upload_size: size, upload_checksum: checksum } = request
    announced.set(id, { id, name, size, checksum, location, bytes: Buffer.alloc(0), isDone: false })
    const all = { local: { hostnames: [hostname()] }, http: { hostnames: [], url: `/files/${id}` } }
    return {
      available_bytes_on_store: 1e12,
      store_name: 'one',
      staging_name: uuid,
      staging_location: location,
      upload_name: request.upload_name,
      destination_location: name,
      transfer_providers: Object.fromEntries(ways.map(way => [way, all[way]])),
      transfer_id: id,
    }
  }

  async function commit(id: number, way: string, policy: string): Promise<void> {
    const upload = announced.get(id)
    if (!upload) throw new LibrarianError('NotFound', `No transfer ${id}.`)
    if (upload.isDone && isOld) throw new LibrarianError('StagedNotFound', 'File not found in staging area.')
    if (upload.isDone) return
    const actual = way === 'local' ? await digestsOf(upload.location) : digestOf(upload.bytes)
    if (!actual) throw new LibrarianError('StagedNotFound', 'File not found in staging area.')
    const isGood = actual.size === upload.size && actual.checksums.includes(upload.checksum)
    if (!isGood) throw new LibrarianError('Mismatch', 'File does not have a valid checksum or size')
    files.set(upload.name, { size: upload.size, checksum: upload.checksum, policy })
    upload.isDone = true
  }

  // biome-ignore lint/suspicious/noExplicitAny: requests of all endpoints, each parsed by its own schema
  const handlers = new Map<Endpoint, (request: any) => Promise<unknown>>([
    [
      endpoints.ping.any as Endpoint,
      async () => ({ name: 'twin', description: '', ...(isOld ? {} : { version: '1', capabilities: [IDEMPOTENCY] }) }),
    ],
    [endpoints.upload.stage as Endpoint, stage],
    [
      endpoints.upload.commit as Endpoint,
      request => commit(request.transfer_id, request.transfer_provider_name, request.deletion_policy),
    ],
    [
      endpoints.search.file as Endpoint,
      async request => [...files].filter(([name]) => name === request.name).map(([name, file]) => found(name, file)),
    ],
    ...(isOld ? [] : batches()),
  ])

  // biome-ignore lint/suspicious/noExplicitAny: as above
  function batches(): [Endpoint, (request: any) => Promise<unknown>][] {
    const each = async (work: () => Promise<object>, own: object) => {
      try {
        return { success: true, ...(await work()) }
      } catch (error) {
        const { status, body } = toFailureBody(error)
        const { reason, suggested_remedy } = body as { reason: string; suggested_remedy: string }
        return { success: false, status, code: (error as LibrarianError).code, reason, suggested_remedy, ...own }
      }
    }
    return [
      [
        endpoints.upload.batchStage as Endpoint,
        async request => {
          const outcomes = []
          for (const upload of request.uploads) {
            outcomes.push(await each(() => stage(upload), { destination_location: upload.destination_location }))
          }
          return { outcomes }
        },
      ],
      [
        endpoints.upload.batchCommit as Endpoint,
        async request => {
          const outcomes = []
          for (const { transfer_id, transfer_provider_name, deletion_policy } of request.commits) {
            const own = { transfer_id, name: announced.get(transfer_id)?.name ?? '' }
            outcomes.push(
              await each(async () => {
                await commit(transfer_id, transfer_provider_name, deletion_policy)
                return own
              }, own),
            )
          }
          return { outcomes }
        },
      ],
    ]
  }

  async function call(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url?.replace('/api/v2/', '') ?? ''
    const endpoint = [...handlers.keys()].find(each => each.path === path)
    const body = await bodyOf(request)
    twin.calls.push(path)
    const key = request.headers['idempotency-key']
    let answer: { status: number; body: unknown; headers: Readonly<Record<string, string>> }
    let fate: 'lose' | undefined
    try {
      fate = twin.disturb(path)
      if (!endpoint) throw new LibrarianError('NoEndpoint', 'Not Found')
      const parsed = parseRequest(endpoint, JSON.parse(body.toString('utf8')))
      const isKnown = typeof key === 'string' && !isOld && answered.has(key)
      const result = isKnown ? answered.get(key) : await handlers.get(endpoint)!(parsed)
      if (typeof key === 'string') answered.set(key, result)
      answer = toAnswer(endpoint, result)
    } catch (error) {
      answer = toFailureBody(error, endpoint)
    }
    if (fate === 'lose') return void request.socket.destroy()
    response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers })
    response.end(answer.body === undefined ? undefined : JSON.stringify(answer.body))
  }

  async function tus(request: IncomingMessage, response: ServerResponse): Promise<void> {
    twin.calls.push(`${request.method} ${request.url}`)
    const upload = announced.get(Number(request.url?.split('/').at(-1)))
    if (!upload) return void response.writeHead(404).end()
    const headers = { 'upload-length': upload.size, 'upload-offset': upload.bytes.length }
    if (request.method === 'HEAD') return void response.writeHead(200, headers).end()
    if (Number(request.headers['upload-offset']) !== upload.bytes.length) return void response.writeHead(409).end()
    const piece = await bodyOf(request)
    if (twin.cutAfter !== undefined) {
      upload.bytes = Buffer.concat([upload.bytes, piece.subarray(0, twin.cutAfter)])
      twin.cutAfter = undefined
      return void request.socket.destroy()
    }
    upload.bytes = Buffer.concat([upload.bytes, piece])
    response.writeHead(204, { 'upload-offset': upload.bytes.length }).end()
  }

  const server = createServer((request, response) => {
    const isCall = request.url?.startsWith('/api/v2/')
    ;(isCall ? call : tus)(request, response).catch(() => request.socket.destroy())
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const twin: LibrarianTwin = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    files,
    calls: [],
    disturb: () => undefined,
    cutAfter: undefined,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return twin
}

function found(name: string, { size, checksum, state }: Kept) {
  const create_time = '2026-11-20T22:03:37'
  const instance = { path: `/files/${name}`, deletion_policy: 'DISALLOWED', created_time: create_time, available: true }
  const more = state === undefined ? {} : { state }
  const instances = [{ ...instance, ...more }]
  return { name, create_time, size, checksum, uploader: 'a', source: 'a', instances, remote_instances: [] }
}

async function digestsOf(path: string) {
  if (!(await stat(path).catch(() => undefined))) return undefined
  const { size, digests } = await digestPath(path, { functions: ['xxh3', 'sha256', 'md5'] })
  return { size, checksums: Object.entries(digests).map(([name, hex]) => `${name}:::${hex}`) }
}

function digestOf(bytes: Buffer) {
  return { size: bytes.length, checksums: [`sha256:::${createHash('sha256').update(bytes).digest('hex')}`] }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
