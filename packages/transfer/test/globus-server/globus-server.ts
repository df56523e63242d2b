/**
 * A twin of Globus's transfer and authorization services on one loopback port, as librarian 9.3 describes them. It is ours,
 * so it proves that we do what we mean to; only the services themselves could prove that they do, too.
 */
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { Identities } from './identities.ts'
import { type SubmittedBatch, whatIsWrong } from './submissions.ts'
import { type GlobusTask, Tasks } from './tasks.ts'

export interface GlobusRequest {
  readonly method: string
  /** Path as it arrived, without the query. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export interface GlobusAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly document: unknown
}

/** Instead of an answer: what the service says, or nothing at all, after or before it did what was asked. */
export type Fault = GlobusAnswer | 'lost' | 'unheard'

export interface GlobusServer extends AsyncDisposable {
  /** `http://127.0.0.1:port` */
  readonly origin: string
  readonly identities: Identities
  readonly tasks: Tasks
  readonly requests: readonly GlobusRequest[]
  /** Decides about each request before it is answered. */
  onRequest: ((request: GlobusRequest) => Fault | undefined) | undefined
}

export async function startGlobusServer(): Promise<GlobusServer> {
  const requests: GlobusRequest[] = []
  const service = new Service()
  const server = createServer((request, response) => {
    handle(twin, service, requests, request, response).catch(error => response.writeHead(599).end(String(error)))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const twin: GlobusServer = {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    identities: service.identities,
    tasks: service.tasks,
    requests,
    onRequest: undefined,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
      await service.tasks.end()
    },
  }
  return twin
}

async function handle(
  twin: GlobusServer,
  service: Service,
  requests: GlobusRequest[],
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { pathname, searchParams } = new URL(incoming.url as string, twin.origin)
  const { method = '', headers } = incoming
  const request: GlobusRequest = { method, path: pathname, query: searchParams, headers, body: await text(incoming) }
  requests.push(request)
  const fault = twin.onRequest?.(request)
  if (fault === 'unheard') return void response.destroy()
  const answer = fault && fault !== 'lost' ? fault : service.answer(request)
  if (fault === 'lost') return void response.destroy()
  response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers })
  response.end(JSON.stringify(answer.document))
}

class Service {
  readonly identities = new Identities()
  readonly tasks = new Tasks()
  readonly #submissionIds = new Set<string>()

  answer(request: GlobusRequest): GlobusAnswer {
    const { method, path, headers } = request
    if (path === '/v2/oauth2/token' && method === 'POST') return this.identities.answer(request)
    if (!this.identities.takes(headers.authorization))
      return refusal(401, 'AuthenticationFailed', 'Token is not active')
    if (path === '/v0.10/submission_id' && method === 'GET') return this.#giveSubmissionId()
    if (path === '/v0.10/transfer' && method === 'POST') return this.#submit(request)
    const [, id, what = ''] = /^\/v0\.10\/task\/([^/]+)(?:\/(\w+))?$/.exec(path) ?? []
    const task = this.tasks.all.find(task => task.id === id)
    if (!task) return refusal(404, 'TaskNotFound', `No task ${id}`)
    if (what === '' && method === 'GET') return { status: 200, document: taskDocument(task) }
    if (what === 'event_list' && method === 'GET') return { status: 200, document: eventList(task, request.query) }
    if (what === 'cancel' && method === 'POST') return this.#cancel(task)
    return refusal(405, 'MethodNotAllowed', method)
  }

  #giveSubmissionId(): GlobusAnswer {
    const value = randomUUID()
    this.#submissionIds.add(value)
    return { status: 200, document: { DATA_TYPE: 'submission_id', value } }
  }

  #submit({ headers, body }: GlobusRequest): GlobusAnswer {
    if (!headers['content-type']?.startsWith('application/json')) return refusal(415, 'BadRequest', 'JSON is needed')
    const document = JSON.parse(body)
    const wrong = whatIsWrong(document)
    if (wrong) return refusal(400, 'ClientError.BadRequest', wrong)
    const batch = document as SubmittedBatch
    if (!this.#submissionIds.has(batch.submission_id)) return refusal(400, 'BadRequest', 'unknown submission_id')
    const unknown = [batch.source_endpoint, batch.destination_endpoint].find(id => !this.tasks.endpoints.has(id))
    if (unknown !== undefined) return refusal(404, 'EndpointNotFound', `No endpoint ${unknown}`)
    const { task, isDuplicate } = this.tasks.submit(batch)
    const code = isDuplicate ? 'Duplicate' : 'Accepted'
    const { submission_id } = batch
    return { status: 202, document: { DATA_TYPE: 'transfer_result', code, submission_id, task_id: task.id } }
  }

  #cancel(task: GlobusTask): GlobusAnswer {
    const code = this.tasks.cancel(task) ? 'Canceled' : 'TaskComplete'
    return { status: 200, document: { DATA_TYPE: 'result', code, resource: `/task/${task.id}/cancel` } }
  }
}

function refusal(status: number, code: string, message: string): GlobusAnswer {
  return { status, document: { code, message, request_id: randomUUID(), resource: '/' } }
}

function taskDocument(task: GlobusTask) {
  const { id, batch, events, requested, completed, bytes } = task
  const seconds = completed ? Math.max((completed.getTime() - requested.getTime()) / 1000, 0.001) : 1
  return {
    DATA_TYPE: 'task',
    task_id: id,
    type: 'TRANSFER',
    status: task.status,
    label: batch.label,
    source_endpoint_id: batch.source_endpoint,
    destination_endpoint_id: batch.destination_endpoint,
    request_time: inGlobusForm(requested),
    completion_time: completed && inGlobusForm(completed),
    faults: events.filter(({ is_error }) => is_error).length,
    fatal_error: task.fatal_error,
    nice_status: task.nice_status,
    bytes_transferred: bytes,
    effective_bytes_per_second: Math.round(bytes / seconds),
  }
}

/** The newest first, ten unless more are asked for. */
function eventList({ events }: GlobusTask, query: URLSearchParams) {
  const wanted = query.get('filter') === 'is_error:1' ? events.filter(({ is_error }) => is_error) : events
  const DATA = wanted.toReversed().slice(0, Number(query.get('limit') ?? 10))
  return { DATA_TYPE: 'event_list', total: wanted.length, DATA: DATA.map(event => ({ DATA_TYPE: 'event', ...event })) }
}

function inGlobusForm(time: Date): string {
  return `${time.toISOString().slice(0, 19)}+00:00`
}
