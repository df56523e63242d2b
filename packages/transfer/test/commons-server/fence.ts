/** Tokens and presigned URLs (gen3 2.2, 2.4, 6.2). */
import { randomUUID } from 'node:crypto'
import { type Answer, fenceError, json } from './answers.ts'
import { isPublic, mayRead, resourcesOf } from './permissions.ts'
import type { ObjectRecord } from './records.ts'
import { type Call, type CommonsState, isAbsent, jsonBody, property, strings } from './state.ts'
import type { Location } from './storage.ts'
import { type Token, userId } from './tokens.ts'

const PROTOCOLS = ['s3', 'http', 'ftp', 'https', 'gs', 'az']

/** An API key becomes an access token. */
export function exchange(state: CommonsState, call: Call): Answer {
  if (call.request.method !== 'POST') return fenceError(405, 'The method is not allowed for the requested URL.')
  const text = apiKeyOf(call)
  if (typeof text !== 'string' || text === '') return fenceError(400, 'Please provide an api_key in payload')
  if (call.query.has('task_token')) return fenceError(403, 'Task tokens are not enabled')
  const key = state.tokens.find(text, 'api_key')
  if (!key) return fenceError(401, 'Could not parse JWT: signature verification failed, or the key has expired')
  const asked = lifetime(call.query.get('expires_in'), state.tokenTtlS)
  if (asked === undefined) return fenceError(400, 'expires_in must be a positive integer')
  if (state.nowMs() / 1000 + asked > key.expiresAtS)
    return fenceError(400, 'Requested lifetime exceeds that of the API key')
  const { text: access_token } = state.tokens.issue({ purpose: 'access', user: key.user, ttlS: asked })
  return json({ access_token })
}

/** Client credentials. Such a token belongs to nobody. */
export function clientToken(state: CommonsState, call: Call): Answer {
  const basic = /^basic (\S+)$/i.exec(call.request.headers.authorization ?? '')?.[1]
  const [id = '', secret] = Buffer.from(basic ?? '', 'base64')
    .toString()
    .split(':')
  const form = new URLSearchParams(call.request.body.toString())
  const grant = call.query.get('grant_type') ?? form.get('grant_type')
  if (grant !== 'client_credentials') return json({ error: 'unsupported_grant_type' }, 400)
  if (secret === undefined || state.clients.get(id) !== secret) return json({ error: 'invalid_client' }, 401)
  const { text } = state.tokens.issue({ purpose: 'access', client: id, ttlS: state.tokenTtlS })
  return json({ access_token: text, expires_in: state.tokenTtlS, token_type: 'Bearer' })
}

export function userInfo(state: CommonsState, { token }: Call): Answer {
  if (token?.user === undefined) return fenceError(401, 'Please log in: no valid token was found')
  const permission = { service: 'fence', method: 'read-storage' }
  const resources = resourcesOf(state, token)
  return json({
    user_id: userId(token.user),
    username: token.user,
    display_name: token.user,
    email: `${token.user}@commons.example`,
    is_admin: false,
    role: 'user',
    sub: String(userId(token.user)),
    project_access: {},
    resources,
    authz: Object.fromEntries(resources.map(path => [path, [permission]])),
  })
}

export function authzMapping(state: CommonsState, { token }: Call): Answer {
  const permissions = [{ service: 'fence', method: 'read-storage' }]
  return json(Object.fromEntries(resourcesOf(state, token).map(path => [path, permissions])))
}

export function download(state: CommonsState, call: Call): Answer {
  const signed = signedUrl(state, call, call.guid, call.query.get('protocol') ?? undefined)
  if ('refused' in signed) return fenceError(signed.refused, signed.message)
  if (call.query.has('redirect')) return { status: 302, location: signed.url, body: '', headers: {} }
  return json({ url: signed.url })
}

export function bulkDownload(state: CommonsState, call: Call): Answer {
  if (isAbsent(state, 'download')) return fenceError(405, 'The method is not allowed for the requested URL.')
  const guids = strings(property(jsonBody(call), 'guids'))
  if (!guids) return fenceError(400, 'guids must be a list of strings')
  const { urls, failures } = bulkUrls(state, call, guids, call.query.get('protocol') ?? undefined)
  return json({ urls, failed_guids: failures })
}

export interface BulkUrls {
  readonly urls: { drs_object_id: string; url: string }[]
  readonly failures: { error_code: number; object_ids: string[] }[]
}

/** One URL each, or the status that asking alone would have had. */
export function bulkUrls(
  state: CommonsState,
  call: Call,
  guids: readonly string[],
  protocol: string | undefined,
): BulkUrls {
  const urls: BulkUrls['urls'] = []
  const failed = new Map<number, string[]>()
  for (const guid of guids) {
    const { status } = state.faults.takeOf(call.route, guid, call.request)
    const signed = status === undefined ? signedUrl(state, call, guid, protocol, 'any') : { refused: status }
    if ('url' in signed) urls.push({ drs_object_id: guid, url: signed.url })
    else failed.set(signed.refused, [...(failed.get(signed.refused) ?? []), guid])
  }
  return { urls, failures: [...failed].map(([error_code, object_ids]) => ({ error_code, object_ids })) }
}

type Signed = { readonly url: string } | { readonly refused: number; readonly message: string }

/** The decision about one file, in the order of fence: record, permission, location, signature. */
export function signedUrl(
  state: CommonsState,
  call: Call,
  guid: string,
  protocol: string | undefined,
  need: 'all' | 'any' = 'all',
): Signed {
  const record = state.records.get(guid)
  if (!record || record.form === 'bundle') return refuse(404, `No indexed document found with id ${guid}`)
  const lifetimeS = lifetime(call.query.get('expires_in'), state.urlTtlS)
  if (lifetimeS === undefined) return refuse(400, 'expires_in must be a positive integer')
  if (call.token?.isOfClient && !isPublic(record)) return refuse(403, 'This client may not download data')
  if (!mayRead(state, call.token, record, need)) {
    // Also for a good token: fence says 401 where others say 403.
    return refuse(401, `You are not logged in, or lack read-storage on ${record.authz.join(', ')}`)
  }
  const stranger = record.locations.find(({ scheme }) => !PROTOCOLS.includes(scheme))
  if (stranger) return refuse(400, `The specified protocol ${stranger.scheme} is not supported`)
  const location = choose(record, protocol)
  if (!location)
    return refuse(404, protocol ? `File ${guid} has no location with ${protocol}` : "Can't find any file locations.")
  if (location.state === 'unconfigured') return refuse(500, 'The bucket is not configured')
  const isUnsigned = isPublic(record) && call.query.get('no_force_sign')?.toLowerCase() === 'true'
  return { url: urlFor(state, location, { lifetimeS, token: call.token, isUnsigned }) }
}

export function urlFor(
  state: CommonsState,
  location: Location,
  {
    lifetimeS = state.urlTtlS,
    token,
    isUnsigned = false,
  }: { lifetimeS?: number; token?: Token | undefined; isUnsigned?: boolean },
): string {
  const { signingTtlS } = state.options
  const name = token?.user ?? 'anonymous'
  // Tags for the bucket's log: the store signs them along and does not know them.
  const extra = { user_id: String(token?.user ? userId(name) : 'anonymous'), username: name, client_id: '' }
  const credentialsEndS = signingTtlS === undefined ? undefined : state.nowMs() / 1000 + signingTtlS
  return state.storage.urlOf(location, { lifetimeS, extra, credentialsEndS, isUnsigned })
}

function choose(record: ObjectRecord, protocol: string | undefined): Location | undefined {
  if (!protocol) return record.locations[0]
  return record.locations.find(({ scheme }) => scheme === protocol || (protocol === 'http' && scheme === 'https'))
}

function refuse(refused: number, message: string): Signed {
  return { refused, message }
}

/** Seconds, at most `most`; undefined when what was asked makes no sense. */
function lifetime(asked: string | null, most: number): number | undefined {
  if (asked === null) return most
  return /^\d+$/.test(asked) && Number(asked) > 0 ? Math.min(Number(asked), most) : undefined
}

function apiKeyOf(call: Call): unknown {
  if (/^application\/x-www-form-urlencoded/i.test(call.request.headers['content-type'] ?? '')) {
    return new URLSearchParams(call.request.body.toString()).get('api_key')
  }
  return property(jsonBody(call), 'api_key')
}

/** What `credentials.json` holds. */
export interface Credentials {
  readonly api_key: string
  readonly key_id: string
}

export interface CredentialsOptions {
  /** Default the first user of the commons. */
  readonly user?: string | undefined
  /** It ended an hour ago. */
  readonly expired?: boolean | undefined
  /** Well-formed, and not issued here: the exchange answers 401. */
  readonly foreign?: boolean | undefined
  /** Whole seconds. Default that of the commons. */
  readonly ttlS?: number | undefined
}

export function makeCredentials(state: CommonsState, options: CredentialsOptions): Credentials {
  const { user = [...state.grants.keys()][0] ?? 'tester', expired = false, foreign = false } = options
  const ttlS = expired ? -3600 : (options.ttlS ?? state.options.keyTtlS ?? 30 * 86_400)
  const { text, id } = state.tokens.issue({ purpose: 'api_key', user, ttlS, isForged: foreign })
  return { api_key: text, key_id: id }
}

export function makeClient(state: CommonsState): { id: string; secret: string } {
  const client = { id: randomUUID(), secret: randomUUID() }
  state.clients.set(client.id, client.secret)
  return client
}
