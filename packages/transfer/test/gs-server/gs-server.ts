/**
 * A twin of Google Cloud Storage's JSON API on a loopback port: generations, decompressive transcoding, pages, bearer
 * tokens, requester pays, and a token endpoint and metadata server beside it. It is ours, written from the service's
 * documentation, so it proves that we do what we mean to; only the service itself could prove that it does, too.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Identities } from './identities.ts'
import { describe, listPage } from './list.ts'
import { type MediaOptions, sendMedia } from './media.ts'
import { Store } from './store.ts'

export type RequestKind = 'media' | 'metadata' | 'list' | 'token' | 'machine'

export interface LoggedRequest {
  readonly kind: RequestKind
  readonly method: string
  /** Path and query as they arrived. */
  readonly target: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
}

/** How one answer departs from good behaviour. */
export interface Fault {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly media?: Partial<MediaOptions>
  /** The connection is cut instead of an answer. */
  readonly resets?: boolean
}

export interface GsServer extends AsyncDisposable {
  /** `http://127.0.0.1:port` */
  readonly endpoint: string
  readonly tokenUri: string
  /** For GCE_METADATA_HOST. */
  readonly metadataHost: string
  readonly store: Store
  readonly identities: Identities
  readonly requests: readonly LoggedRequest[]
  /** Buckets that anybody may read. Others need a valid token. */
  readonly publicBuckets: Set<string>
  /** Buckets whose requester pays. */
  readonly requesterPays: Set<string>
  hashFields: MediaOptions['hashFields']
  /** Names per page. Default 1000. */
  pageSize: number
  /** HEAD of bytes is answered 405. */
  refusesHead: boolean
  /** Decides about each request before it is answered. */
  onRequest: ((request: LoggedRequest, count: number) => Fault | undefined) | undefined
  ofKind(kind: RequestKind): readonly LoggedRequest[]
}

export async function startGsServer(): Promise<GsServer> {
  const requests: LoggedRequest[] = []
  const server = createServer((request, response) => {
    answer(twin, requests, request, response).catch(error => {
      response.writeHead(599).end(String(error))
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const twin: GsServer = {
    endpoint: `http://${host}`,
    tokenUri: `http://${host}/token`,
    metadataHost: host,
    store: new Store(),
    identities: new Identities(),
    requests,
    publicBuckets: new Set(),
    requesterPays: new Set(),
    hashFields: 'many',
    pageSize: 1000,
    refusesHead: false,
    onRequest: undefined,
    ofKind: kind => requests.filter(request => request.kind === kind),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
  return twin
}

async function answer(
  twin: GsServer,
  requests: LoggedRequest[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  // Not by the URL parser: what arrived must be seen as it is.
  const target = request.url ?? ''
  const [path = '', text = ''] = target.split('?', 2)
  const query = new URLSearchParams(text)
  const place = /^\/storage\/v1\/b\/([^/]+)\/o(?:\/([^/]+))?$/.exec(path)
  const kind = kindOf(path, place?.[2] !== undefined, query)
  const logged = { kind, method: request.method ?? '', target, query, headers: request.headers }
  requests.push(logged)
  const fault = twin.onRequest?.(logged, requests.filter(one => one.kind === kind).length)
  if (fault?.resets) return void request.socket.destroy()
  if (fault?.status !== undefined) {
    response.writeHead(fault.status, fault.headers)
    return void response.end(fault.body ?? '')
  }
  if (kind === 'token') return exchange(twin, request, response)
  if (kind === 'machine') return machine(twin, path, request, response)
  if (!place) return refuse(response, 404, 'Not Found')
  const bucket = decodeURIComponent(place[1] as string)
  const name = place[2] === undefined ? undefined : decodeURIComponent(place[2])
  const refused = whyRefused(twin, bucket, query, request)
  if (refused) return refuse(response, ...refused)
  if (name === undefined) return json(response, 200, listPage(twin.store, bucket, query, twin.pageSize))
  const object = twin.store.get(bucket, name, query.get('generation'))
  if (kind === 'media' && request.method === 'HEAD' && twin.refusesHead) return refuse(response, 405, 'No HEAD')
  if (!object) return refuse(response, 404, `No such object: ${bucket}/${name}`, kind === 'media')
  if (kind === 'metadata') return json(response, 200, describe(object))
  sendMedia(request, response, object, { hashFields: twin.hashFields, ...fault?.media })
}

function kindOf(path: string, isObject: boolean, query: URLSearchParams): RequestKind {
  if (path === '/token') return 'token'
  if (path.startsWith('/computeMetadata/')) return 'machine'
  if (!isObject) return 'list'
  return query.get('alt') === 'media' ? 'media' : 'metadata'
}

function whyRefused(
  twin: GsServer,
  bucket: string,
  query: URLSearchParams,
  { headers }: IncomingMessage,
): [status: number, message: string] | undefined {
  const bearer = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1]
  if (bearer !== undefined && !twin.identities.isValid(bearer)) return [401, 'Invalid Credentials']
  if (!twin.store.buckets.has(bucket)) return [404, 'The specified bucket does not exist.']
  if (bearer === undefined && !twin.publicBuckets.has(bucket)) {
    return [401, 'Anonymous caller does not have storage.objects.get access to the Google Cloud Storage object.']
  }
  const payer = query.get('userProject') ?? headers['x-goog-user-project']
  if (twin.requesterPays.has(bucket) && !payer) {
    return [400, 'Bucket is a requester pays bucket but no user project provided.']
  }
  return undefined
}

async function exchange(twin: GsServer, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const pieces: Uint8Array[] = []
  for await (const piece of request) pieces.push(piece as Uint8Array)
  const form = new URLSearchParams(Buffer.concat(pieces).toString('utf8'))
  const token = twin.identities.exchange(form, twin.tokenUri)
  if (token) return json(response, 200, token)
  json(response, 400, { error: 'invalid_grant', error_description: 'Invalid JWT Signature.' })
}

function machine(twin: GsServer, path: string, { headers }: IncomingMessage, response: ServerResponse): void {
  response.setHeader('metadata-flavor', 'Google')
  if (headers['metadata-flavor'] !== 'Google') return refuse(response, 403, 'Metadata-Flavor is missing')
  if (path.endsWith('/token')) return json(response, 200, twin.identities.issue('metadata'))
  json(response, 200, {})
}

/** The two forms that errors have: JSON, and for bytes bare text. */
function refuse(response: ServerResponse, status: number, message: string, isText = false): void {
  if (isText) return void response.writeHead(status, { 'content-type': 'text/html; charset=UTF-8' }).end(message)
  json(response, status, { error: { code: status, message, errors: [{ message, domain: 'global' }] } })
}

function json(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=UTF-8' }).end(JSON.stringify(value))
}
