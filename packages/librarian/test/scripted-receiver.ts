/**
 * A receiver as the real 5.0.1 server answers (librarian 10.3, 10.4), over real HTTP, with whatever goes wrong on request. What
 * it holds is plain to see. Our own additions, as `clone/pull`, are there where a test says so.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface ReceiverTransfer {
  readonly id: number
  readonly sourceId: number
  readonly name: string
  readonly checksum: string
  status: number
}

/** What happens to one call: `before` it is done, or `after`, the connection is cut; or it waits; or it is answered like this. */
export type Fault =
  | 'before'
  | 'after'
  | { readonly delayMs: number }
  | { readonly status: number; readonly body: unknown; readonly type?: string }

export interface ScriptedReceiver extends AsyncDisposable {
  readonly port: number
  readonly transfers: ReceiverTransfer[]
  /** Name to checksum, of what it keeps. */
  readonly files: Map<string, string>
  /** Paths and bodies, in order. */
  readonly calls: { readonly path: string; readonly body: Body }[]
  providers: Record<string, Record<string, unknown>>
  /** Of itself, by `ping/`. Default: where it offers to fetch. */
  saysFlows: () => boolean
  /** Asked for each call. */
  fault: (path: string, body: Body) => Fault | undefined
  /** Whether what it is told to fetch has arrived at once. */
  pulls: boolean
  /** What it was told to be STAGED becomes a file. @returns those, for `clone/complete` */
  ingest(): ReceiverTransfer[]
}

// biome-ignore lint/suspicious/noExplicitAny: bodies of every call
type Body = any

const [INITIATED, ONGOING, STAGED, COMPLETED, FAILED] = [0, 1, 2, 3, 4]
const isOpen = ({ status }: ReceiverTransfer) => status <= STAGED!

export async function startReceiver(): Promise<ScriptedReceiver> {
  const transfers: ReceiverTransfer[] = []
  const files = new Map<string, string>()
  const calls: { path: string; body: Body }[] = []

  const server: Server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy())
  })

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url!.replace('/api/v2/', '')
    let text = ''
    for await (const piece of request) text += piece
    const body = JSON.parse(text || '{}') as Body
    calls.push({ path, body })
    const fault = receiver.fault(path, body)
    if (fault === 'before') return void response.destroy()
    if (typeof fault === 'object' && 'status' in fault) return send(response, fault.status, fault.body, fault.type)
    if (typeof fault === 'object') await new Promise(resolve => setTimeout(resolve, fault.delayMs))
    const handler = handlers[path]
    if (!handler) return send(response, 404, { detail: 'Not Found' })
    const [status, told] = handler(body)
    if (fault === 'after') return void response.destroy()
    send(response, status, told)
  }

  const handlers: Record<string, (body: Body) => [number, unknown]> = {
    'ping/': () => [
      200,
      { name: 'Far', description: 'away', ...(receiver.saysFlows() ? { capabilities: ['flows'] } : {}) },
    ],
    'ping/logged': () => [200, { name: 'Far', description: 'away' }],
    'clone/batch_stage': batchStage,
    'checkin/update': update,
    'checkin/status': ({ destination_transfer_ids: ids }) => [
      200,
      { source_transfer_status: {}, destination_transfer_status: Object.fromEntries(ids.map(statusOf)) },
    ],
    'search/file': ({ name }) => {
      const checksum = files.get(name)
      if (checksum === undefined) return [404, { reason: 'No files found.', suggested_remedy: 'Check.' }]
      return [200, [foundFile(name, checksum)]]
    },
    'clone/fail': ({ source_transfer_id, destination_transfer_id }) => {
      const transfer = transfers.find(({ id }) => id === destination_transfer_id)
      if (transfer && isOpen(transfer)) transfer.status = FAILED!
      return [200, { source_transfer_id, destination_transfer_id, success: true }]
    },
    'clone/pull': ({ transfers: wanted }) => {
      const ids = new Set(wanted.map((each: Body) => each.destination_transfer_id))
      const found = transfers.filter(each => ids.has(each.id) && isOpen(each))
      for (const each of found) each.status = receiver.pulls ? STAGED! : Math.max(each.status, ONGOING!)
      const accepted = found.map(({ id }) => id)
      const refused = [...ids].filter(id => !accepted.includes(id as number))
      return [200, { accepted, refused: refused.map(id => ({ destination_transfer_id: id, reason: 'unknown' })) }]
    },
  }

  const statusOf = (id: number) => [String(id), transfers.find(each => each.id === id)?.status ?? null]

  function batchStage({ uploads }: Body): [number, unknown] {
    const bad = { ongoing: [] as number[], existing: [] as number[], stale: [] as number[] }
    for (const { destination_location: name, upload_checksum: checksum, source_transfer_id: id } of uploads) {
      if (files.has(name)) {
        bad.existing.push(id)
        continue
      }
      for (const old of transfers.filter(each => each.name === name && each.checksum === checksum && isOpen(each))) {
        if (old.status === ONGOING) bad.ongoing.push(id)
        else {
          old.status = FAILED!
          bad.stale.push(id)
        }
      }
    }
    // The most important class, and nothing of the others.
    if (bad.ongoing.length > 0) return refusal(425, 'Transfer is ongoing.', bad.ongoing)
    if (bad.existing.length > 0) return refusal(409, 'File already exists on librarian.', bad.existing)
    if (bad.stale.length > 0) return refusal(406, 'Transfer was already initiated or staged.', bad.stale)
    const staged = uploads.map((upload: Body) => {
      const { destination_location: name, upload_checksum: checksum, source_transfer_id: sourceId } = upload
      const transfer = { id: transfers.length + 1, sourceId, name, checksum, status: INITIATED! }
      transfers.push(transfer)
      return {
        staging_name: `dir-${transfer.id}`,
        staging_location: `/far/staging/dir-${transfer.id}/${name}`,
        upload_name: name,
        destination_location: name,
        source_transfer_id: sourceId,
        destination_transfer_id: transfer.id,
      }
    })
    const answer = { available_bytes_on_store: 1, store_name: 'far', uploads: staged }
    return [201, { ...answer, async_transfer_providers: receiver.providers }]
  }

  function update({ destination_transfer_ids: ids, new_status: status }: Body): [number, unknown] {
    const may = ({ status: now }: ReceiverTransfer) => now < status && now <= STAGED! && status !== COMPLETED
    const modified = transfers.filter(each => ids.includes(each.id) && may(each))
    for (const each of modified) each.status = status
    const modifiedIds = modified.map(({ id }) => id)
    return [
      200,
      {
        modified_source_transfer_ids: [],
        modified_destination_transfer_ids: modifiedIds,
        unmodified_source_transfer_ids: [],
        unmodified_destination_transfer_ids: ids.filter((id: number) => !modifiedIds.includes(id)),
        reasons: [],
      },
    ]
  }

  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const receiver: ScriptedReceiver = {
    port: (server.address() as AddressInfo).port,
    transfers,
    files,
    calls,
    saysFlows: () => Object.values(receiver.providers).some(({ protocol }) => protocol === 'pull'),
    providers: { local: { hostnames: ['here'], transfer_attempted: false, transfer_complete: false } },
    fault: () => undefined,
    pulls: true,
    ingest() {
      const staged = transfers.filter(({ status }) => status === STAGED)
      for (const each of staged) {
        if (files.has(each.name)) throw new Error(`${each.name} arrived twice`)
        files.set(each.name, each.checksum)
        each.status = COMPLETED!
      }
      return staged
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
  return receiver
}

/** As the real server writes it: no code, and no numbers of the receiver. */
function refusal(status: number, reason: string, ids: readonly number[]): [number, unknown] {
  return [
    status,
    { reason, suggested_remedy: 'Try.', source_transfer_ids: ids, destination_transfer_ids: ids.map(() => -1) },
  ]
}

function foundFile(name: string, checksum: string) {
  const time = '2026-01-01T00:00:00'
  return {
    name,
    create_time: time,
    size: 1,
    checksum,
    uploader: 'here',
    source: 'here',
    instances: [
      {
        path: `/far/${name}`,
        deletion_policy: 0,
        created_time: time,
        available: true,
        id: 1,
        file_name: name,
        store_id: 4,
      },
    ],
    remote_instances: [],
  }
}

function send(response: ServerResponse, status: number, body: unknown, type = 'application/json'): void {
  response.writeHead(status, { 'content-type': type })
  response.end(typeof body === 'string' ? body : JSON.stringify(body))
}
