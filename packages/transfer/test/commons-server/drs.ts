/** GA4GH DRS as Gen3 speaks it, or as the specification has it (gen3 6.3). */
import { type Answer, drsError, fenceError, json } from './answers.ts'
import { bundleDigest, bundleSize } from './bundles.ts'
import { bulkUrls, signedUrl, urlFor } from './fence.ts'
import { mayRead } from './permissions.ts'
import type { BundleRecord, CommonsRecord, ObjectRecord } from './records.ts'
import { type Call, type CommonsState, findRecord, isAbsent, jsonBody, property, strings } from './state.ts'

export function drsObject(state: CommonsState, call: Call): Answer {
  const record = findRecord(state, call.guid)
  if (!record) return drsError(404, 'no record found')
  const denied = refuseDescription(state, call, record)
  if (denied) return denied
  return json(describe(state, record, call))
}

export function drsAccess(state: CommonsState, call: Call): Answer {
  if (call.rest === '') return fenceError(400, 'Access ID/Protocol is required.')
  const refused = refusePassports(call)
  if (refused) return refused
  const signed = signedUrl(state, call, call.guid, protocolOf(state, call.guid, call.rest))
  if ('refused' in signed) return drsFailure(state, signed.refused, signed.message)
  return json({ url: signed.url, ...accessHeaders(state) })
}

export function drsBulk(state: CommonsState, call: Call): Answer {
  if (isAbsent(state, 'drs-object')) return drsError(405, 'The method is not allowed for the requested URL.')
  const ids = strings(property(jsonBody(call), 'bulk_object_ids'))
  if (!ids) return drsError(400, 'bulk_object_ids must be a list of strings')
  if (ids.length > maxBulk(state)) return drsError(413, `Request too large: at most ${maxBulk(state)} objects`)
  const resolved: object[] = []
  const unresolved = new Map<number, string[]>()
  for (const id of ids) {
    const record = findRecord(state, id)
    const denied = record && refuseDescription(state, call, record)
    const status =
      state.faults.takeOf(call.route, record?.guid ?? id, call.request).status ?? denied?.status ?? (record ? 200 : 404)
    if (record && status === 200) resolved.push(describe(state, record, call))
    else unresolved.set(status, [...(unresolved.get(status) ?? []), id])
  }
  // The specification says it in the singular, indexd in the plural.
  const name = isGen3(state) ? 'resolved_drs_objects' : 'resolved_drs_object'
  return json({ ...summary(ids.length, resolved.length, unresolved), [name]: resolved })
}

export function drsBulkAccess(state: CommonsState, call: Call): Answer {
  if (isAbsent(state, 'drs-access')) return fenceError(405, 'The method is not allowed for the requested URL.')
  const body = jsonBody(call)
  const refused = refusePassports(call)
  if (refused) return refused
  const asked = parseAccessIds(property(body, 'bulk_object_access_ids'))
  if (!asked) return json([{ type: 'missing', loc: ['bulk_object_access_ids'], msg: 'Field required' }], 400)
  if (asked.length > maxBulk(state)) return json({ error_code: 413, error_description: 'Request too large' }, 413)
  const resolved: object[] = []
  const unresolved = new Map<number, string[]>()
  for (const { id, accessId } of asked) {
    const { urls, failures } = bulkUrls(state, call, [id], protocolOf(state, id, accessId))
    const headers = accessHeaders(state).headers ?? []
    for (const { url } of urls) resolved.push({ drs_object_id: id, drs_access_id: accessId, url, headers })
    for (const { error_code } of failures) unresolved.set(error_code, [...(unresolved.get(error_code) ?? []), id])
  }
  const [commonest] = [...unresolved].toSorted(([, a], [, b]) => b.length - a.length)
  const status = resolved.length === 0 && commonest ? commonest[0] : 200
  return json(
    { ...summary(asked.length, resolved.length, unresolved), resolved_drs_object_access_urls: resolved },
    status,
  )
}

export function drsAuthorizations(state: CommonsState, call: Call): Answer {
  if (!state.options.drs?.tellsAuthorizations) return drsError(405, 'The method is not allowed for the requested URL.')
  const ids = call.guid === '' ? (strings(property(jsonBody(call), 'bulk_object_ids')) ?? []) : [call.guid]
  const all = ids.map(id => ({
    drs_object_id: id,
    supported_types: ['BearerAuth'],
    bearer_auth_issuers: [`${state.origin}/user`],
  }))
  if (call.guid !== '') return findRecord(state, call.guid) ? json(all[0]) : drsError(404, 'no record found')
  return json({ ...summary(ids.length, ids.length, new Map()), resolved_drs_object: all })
}

export function serviceInfo(state: CommonsState): Answer {
  const objects = [...state.records.values()].filter(record => record.form !== 'bundle')
  const totalObjectSize = objects.reduce((sum, { size }) => sum + (size ?? 0), 0)
  return json({
    id: state.host,
    name: state.options.name ?? 'test-commons',
    type: { group: 'org.ga4gh', artifact: 'drs', version: '1.5.0' },
    description: 'A commons for tests',
    organization: { name: 'Tests', url: state.origin },
    version: '1.0.0',
    maxBulkRequestLength: maxBulk(state),
    drs: { maxBulkRequestLength: maxBulk(state), objectCount: objects.length, totalObjectSize },
  })
}

function describe(state: CommonsState, record: CommonsRecord, call: Call): object {
  const description =
    record.form === 'bundle' ? describeBundle(state, record, call) : describeObject(state, record, call)
  if (isGen3(state)) return description
  return Object.fromEntries(Object.entries(description).filter(([, value]) => value !== null && value !== undefined))
}

function describeObject(state: CommonsState, record: ObjectRecord, call: Call): object {
  return {
    ...common(state, record),
    name: record.name,
    size: record.size,
    aliases: record.aliases,
    contents: isGen3(state) ? [] : undefined,
    checksums: Object.entries(record.hashes).map(([type, checksum]) => ({ checksum, type })),
    access_methods: record.locations.map((_, index) => accessMethod(state, record, index, call)),
  }
}

function describeBundle(state: CommonsState, record: BundleRecord, call: Call): object {
  const isExpanded = call.query.get('expand') === 'true'
  return {
    ...common(state, record),
    name: record.name,
    size: bundleSize(state, record),
    aliases: [],
    checksums: Object.entries(bundleDigest(state, record)).map(([type, checksum]) => ({ checksum, type })),
    contents: contentsOf(state, record, isExpanded, [record.guid]),
  }
}

function common(state: CommonsState, record: CommonsRecord): object {
  const self = isGen3(state) ? record.guid : encodeURIComponent(record.guid)
  return {
    id: record.guid,
    self_uri: `drs://${state.host}/${self}`,
    description: null,
    mime_type: 'application/json',
    created_time: isGen3(state) ? record.created : `${record.created}Z`,
    updated_time: isGen3(state) ? record.created : `${record.created}Z`,
    version: record.form === 'bundle' ? '' : record.rev,
    form: isGen3(state) ? record.form : undefined,
  }
}

function contentsOf(
  state: CommonsState,
  bundle: BundleRecord,
  isExpanded: boolean,
  above: readonly string[],
): object[] {
  return bundle.contents.map(content => {
    const { id, name } = content
    const drsUri = content.drsUri ?? `drs://${state.host}/${id}`
    const child = state.records.get(id)
    // A bundle that holds itself is told once.
    const isOpened = isExpanded && child?.form === 'bundle' && !above.includes(id)
    return {
      id,
      name: name ?? child?.name ?? id,
      drs_uri: isGen3(state) ? drsUri : [drsUri],
      ...(isOpened ? { contents: contentsOf(state, child, true, [...above, id]) } : {}),
    }
  })
}

function accessMethod(state: CommonsState, record: ObjectRecord, index: number, call: Call): object {
  const location = record.locations[index]!
  // A storage URI cannot be fetched over HTTP: only the identifier of the method, the scheme, leads on.
  if (isGen3(state)) {
    const { scheme, url } = location
    return { type: scheme, access_url: { url }, access_id: scheme, region: '' }
  }
  const { access = 'id' } = state.options.drs ?? {}
  const url =
    access === 'id' || location.state === 'unconfigured' ? undefined : urlFor(state, location, { token: call.token })
  return {
    type: 'https',
    cloud: location.scheme,
    ...(url === undefined ? {} : { access_url: { url, ...accessHeaders(state) } }),
    ...(url === undefined || access === 'both' ? { access_id: `method-${index}` } : {}),
  }
}

/** What fence calls the method. */
function protocolOf(state: CommonsState, guid: string, accessId: string): string {
  if (isGen3(state)) return accessId
  const record = state.records.get(guid)
  const index = Number(/^method-(\d+)$/.exec(accessId)?.[1])
  return (record && record.form !== 'bundle' && record.locations[index]?.scheme) || accessId
}

function refuseDescription(state: CommonsState, call: Call, record: CommonsRecord): Answer | undefined {
  if (!state.options.drs?.needsAuth || record.form === 'bundle') return undefined
  if (!call.token) return drsError(401, 'A token is needed')
  return mayRead(state, call.token, record) ? undefined : drsError(403, 'This token does not suffice')
}

function refusePassports(call: Call): Answer | undefined {
  if (call.request.method !== 'POST' || property(jsonBody(call), 'passports') === undefined) return undefined
  return call.request.headers.authorization === undefined
    ? fenceError(400, 'Passports are not enabled at this commons')
    : fenceError(400, 'Send either passports or a token, not both')
}

function parseAccessIds(value: unknown): { id: string; accessId: string }[] | undefined {
  if (!Array.isArray(value)) return undefined
  const all = value.map(one => {
    const id = property(one, 'bulk_object_id')
    const accessIds = strings(property(one, 'bulk_access_ids'))
    return typeof id === 'string' && accessIds ? accessIds.map(accessId => ({ id, accessId })) : undefined
  })
  return all.includes(undefined) ? undefined : all.flatMap(one => one ?? [])
}

function accessHeaders(state: CommonsState): { headers?: string[] } {
  const { accessHeader } = state.options.drs ?? {}
  return accessHeader ? { headers: [accessHeader.join(': ')] } : {}
}

function drsFailure(state: CommonsState, status: number, message: string): Answer {
  return isGen3(state) ? fenceError(status, message) : drsError(status, message)
}

function summary(requested: number, resolved: number, unresolved: ReadonlyMap<number, string[]>): object {
  return {
    summary: { requested, resolved, unresolved: requested - resolved },
    unresolved_drs_objects: [...unresolved].map(([error_code, object_ids]) => ({ error_code, object_ids })),
  }
}

function maxBulk(state: CommonsState): number {
  return state.options.maxBulk ?? 100
}

function isGen3(state: CommonsState): boolean {
  return state.options.drs?.flavour !== 'ga4gh'
}
