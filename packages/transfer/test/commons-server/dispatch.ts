/** From a path to a route and what the path names (gen3 1). */
import type { FaultRequest } from '../fault-server/log.ts'
import { refusal } from './answers.ts'
import { drsAccess, drsAuthorizations, drsBulk, drsBulkAccess, drsObject, serviceInfo } from './drs.ts'
import { authzMapping, bulkDownload, clientToken, download, exchange, userInfo } from './fence.ts'
import { indexBulk, indexDist, indexList, indexRecord, indexService } from './indexd.ts'
import { manifests, metadata } from './mds.ts'
import type { Route } from './routes.ts'
import type { Handler } from './state.ts'
import { wtsList, wtsToken } from './wts.ts'

export interface Found {
  readonly route: Route
  readonly handler: Handler
  readonly guid: string
  readonly rest: string
}

interface Entry {
  readonly route: Route
  readonly methods: readonly string[]
  /** Groups `guid` and `rest` are what the path names. */
  readonly path: RegExp
  readonly handler: Handler
  /** What the handler gets as `rest`, when the path has no such group. */
  readonly rest?: string
}

const GET = ['GET', 'HEAD']
const DRS = '^/ga4gh/drs/v1'

/** The first that fits. */
const TABLE: readonly Entry[] = [
  entry('token', ['POST'], /^\/user\/credentials\/(?:api|cdis)\/access_token\/?$/, exchange),
  entry('oauth', ['POST'], /^\/user\/oauth2\/token\/?$/, clientToken),
  entry('user', GET, /^\/user\/user\/?$/, userInfo),
  entry('download-bulk', ['POST'], /^\/user\/data\/download\/bulk\/?$/, bulkDownload),
  entry('download', GET, /^\/user\/data\/download\/(?<guid>.+)$/, download),
  entry('index-bulk', ['POST'], /^\/index\/bulk\/documents\/?$/, indexBulk),
  entry('index-list', GET, /^\/index(?:\/index)?\/?$/, indexList),
  entry('index-dist', GET, /^\/index(?:\/index)?\/_dist\/?$/, indexDist),
  entry('other', GET, /^\/index(?:\/index)?\/(?<rest>_status|_stats|_version)\/?$/, indexService),
  entry('index', GET, /^\/index\/index\/(?<guid>.+)\/(?<rest>latest|versions|aliases)$/, indexRecord),
  entry('index', GET, /^\/index\/index\/(?<guid>.+)$/, indexRecord, 'local'),
  entry('index', GET, /^\/index\/(?<guid>.+)$/, indexRecord),
  entry('service-info', GET, new RegExp(`${DRS}/service-info/?$`), serviceInfo),
  entry('drs-access-bulk', ['POST'], new RegExp(`${DRS}/objects/access/?$`), drsBulkAccess),
  entry('drs-bulk', ['POST'], new RegExp(`${DRS}/objects/?$`), drsBulk),
  entry('drs-authorizations', ['OPTIONS'], new RegExp(`${DRS}/objects(?:/(?<guid>.+))?$`), drsAuthorizations),
  entry(
    'drs-access',
    [...GET, 'POST'],
    new RegExp(`${DRS}/objects/(?<guid>.+)/access(?:/(?<rest>[^/]*))?$`),
    drsAccess,
  ),
  entry('drs-object', GET, new RegExp(`${DRS}/objects/(?<guid>.+)$`), drsObject),
  entry('wts-list', GET, /^\/wts\/external_oidc\/?$/, wtsList),
  entry('wts-token', GET, /^\/wts\/token\/?$/, wtsToken),
  entry('mds', GET, /^\/mds\/metadata\/(?<guid>.+)$/, metadata, 'metadata'),
  entry('mds', GET, /^\/mds\/aggregate\/info\/(?<guid>.+)$/, metadata, 'aggregate'),
  entry('mds', GET, /^\/mds\/version$/, metadata, 'version'),
  entry('mds', GET, /^\/mds\/objects\/(?<guid>.+)\/download$/, metadata, 'download'),
  entry('mds', GET, /^\/mds\/objects\/(?<guid>.+)$/, metadata, 'object'),
  entry('manifests', GET, /^\/manifests\/?$/, manifests, ''),
  entry('manifests', GET, /^\/manifests\/file\/(?<rest>.+)$/, manifests),
  entry('authz', GET, /^\/authz\/mapping\/?$/, authzMapping),
]

export function dispatch(request: FaultRequest, slashes: 'both' | 'raw' | 'encoded' = 'both'): Found {
  const fitting = TABLE.map(one => ({ ...one, match: one.path.exec(request.path) })).filter(one => one.match)
  const found = fitting.find(one => one.methods.includes(request.method))
  if (!found) {
    const route = fitting[0]?.route ?? 'other'
    return { route, guid: '', rest: '', handler: () => refusal(route, fitting.length > 0 ? 405 : 404) }
  }
  const { route, handler } = found
  const { guid: spelled = '', rest = found.rest ?? '' } = found.match?.groups ?? {}
  const isLost = (slashes === 'raw' && /%2f/i.test(spelled)) || (slashes === 'encoded' && spelled.includes('/'))
  if (isLost) return { route, guid: '', rest, handler: () => refusal(route, 404) }
  return { route, handler, guid: decode(spelled), rest: decode(rest) }
}

function entry(route: Route, methods: readonly string[], path: RegExp, handler: Handler, rest?: string): Entry {
  return { route, methods, path, handler, ...(rest === undefined ? {} : { rest }) }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
