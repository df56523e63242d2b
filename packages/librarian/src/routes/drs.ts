/**
 * GA4GH DRS 1.5, read only: `/ga4gh/drs/v1`. Who asks for an object sends a user and password (Basic), as everywhere; who
 * asks for access gets a URL with a header that opens just this file for some minutes, because DRS clients do not send their
 * credentials to where the bytes are.
 */
import type { ServerResponse } from 'node:http'
import { errorTable, LibrarianError } from '@arriero/api'
import type { Drs } from '../services/drs.ts'
import { pathOfName } from './data/path.ts'
import { dataPrefix } from './data.ts'
import type { RawCall, RawRoute } from './raw-route.ts'

const drsPrefix = '/ga4gh/drs/v1'

export interface DrsRouteOptions {
  readonly drs: Drs
  /** As `service-info` tells them. */
  readonly site: { readonly name: string; readonly displayName: string; readonly description: string }
}

export function drsRoutes({ drs, site }: DrsRouteOptions): RawRoute[] {
  return [
    {
      methods: ['GET'],
      path: `${drsPrefix}/service-info`,
      level: 'READONLY',
      openMethods: ['GET'],
      writeFailure,
      async handle(_, response, call) {
        sendJson(response, 200, serviceInfo(await drs.totals(), site, call))
      },
    },
    {
      methods: ['GET', 'OPTIONS'],
      path: `${drsPrefix}/objects/*`,
      level: 'READONLY',
      openMethods: ['OPTIONS'],
      writeFailure,
      async handle(request, response, call) {
        const { id, access, expand } = readPath(request.url ?? '')
        if (request.method === 'OPTIONS') {
          return sendJson(response, 200, { drs_object_id: id, supported_types: ['BasicAuth'] })
        }
        if (access === undefined) {
          return sendJson(response, 200, await drs.object(id, { host: new URL(call.origin).host, expand }))
        }
        const { path, ticket } = await drs.access(id, access, call.caller.name)
        return sendJson(response, 200, {
          url: `${call.origin}${dataPrefix}${pathOfName(path)}`,
          headers: [`Authorization: Bearer ${ticket}`],
        })
      },
    },
  ]
}

function readPath(url: string): { id: string; access: string | undefined; expand: boolean } {
  const [path = '', query = ''] = url.split('?', 2)
  const rest = path.slice(`${drsPrefix}/objects/`.length)
  const match = /^([^/]+)(?:\/access\/([^/]+))?$/.exec(rest)
  if (!match) throw new LibrarianError('NotFound', 'Cannot find the object: there is none of this id')
  const [, id = '', access] = match
  return { id, access, expand: new URLSearchParams(query).get('expand') === 'true' }
}

function serviceInfo(
  { count, size }: { readonly count: number; readonly size: number },
  site: DrsRouteOptions['site'],
  { origin }: RawCall,
): object {
  return {
    id: `librarian.${site.name}`,
    name: site.displayName,
    description: site.description,
    type: { group: 'org.ga4gh', artifact: 'drs', version: '1.5.0' },
    organization: { name: site.displayName, url: origin },
    version: '1',
    // There are no requests for many objects.
    maxBulkRequestLength: 0,
    drs: { maxBulkRequestLength: 0, objectCount: count, totalObjectSize: size, supportedUploadMethods: [] },
  }
}

function sendJson(response: ServerResponse, status: number, value: object): void {
  const text = JSON.stringify(value)
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  })
  response.end(text)
}

function writeFailure(error: unknown, response: ServerResponse): void {
  const known = error instanceof LibrarianError ? error : new LibrarianError('Internal', 'Internal server error.')
  const { code, retryAfterSeconds } = known
  const { status } = errorTable[code]
  if (status === 401) response.setHeader('www-authenticate', 'Basic')
  if (retryAfterSeconds !== undefined) response.setHeader('retry-after', Math.ceil(retryAfterSeconds))
  const isInside = code === 'Internal' || code === 'Configuration'
  sendJson(response, status, { msg: isInside ? 'Internal server error.' : known.message, status_code: status })
}
