/** Records (gen3 6.1). Reading needs no authorization. */
import { type Answer, indexdError, json } from './answers.ts'
import { bundleDigest, bundleSize } from './bundles.ts'
import type { BundleRecord, CommonsRecord, ObjectRecord } from './records.ts'
import { type Call, type CommonsState, findRecord, isAbsent, jsonBody, strings } from './state.ts'

export function indexRecord(state: CommonsState, call: Call): Answer {
  const { guid, rest } = call
  if (rest === 'aliases') return aliases(state, guid)
  if (rest === 'latest' || rest === 'versions') return versions(state, guid, rest)
  // `/index/index/{guid}` knows only the whole identifier.
  const record = rest === 'local' ? state.records.get(guid) : findRecord(state, guid)
  return record ? json(documentOf(state, record)) : indexdError(404, 'no record found')
}

export function indexBulk(state: CommonsState, call: Call): Answer {
  if (isAbsent(state, 'index')) return indexdError(404, 'The requested URL was not found on the server.')
  const guids = strings(jsonBody(call))
  if (!guids) return indexdError(400, 'No documents specified, or not a list of strings')
  const found = guids.flatMap(guid => {
    const { status } = state.faults.takeOf('index-bulk', guid, call.request)
    return status === undefined ? (state.records.get(guid) ?? []) : []
  })
  return json(found.filter(record => record.form !== 'bundle').map(record => documentOf(state, record)))
}

export function indexList(state: CommonsState, { query }: Call): Answer {
  const limit = Number(query.get('limit') ?? 100)
  if (!Number.isInteger(limit) || limit < 0 || limit > 1024) return indexdError(400, 'limit must be between 0 and 1024')
  const page = Number(query.get('page') ?? 0)
  if (!Number.isInteger(page) || page < 0) return indexdError(400, 'page must be an integer')
  const start = query.get('start')
  const ids = query.get('ids')?.split(',')
  const hashes = query.getAll('hash').map(hash => hash.split(':'))
  const matches = (record: ObjectRecord) =>
    (start === null || record.guid > start) &&
    (ids === undefined || ids.includes(record.guid)) &&
    (!query.has('size') || record.size === Number(query.get('size'))) &&
    (!query.has('file_name') || record.name === query.get('file_name')) &&
    (!query.has('url') || record.locations.some(({ url }) => url === query.get('url'))) &&
    hashes.every(([name = '', value]) => record.hashes[name] === value)
  const objects = [...state.records.values()].filter(record => record.form !== 'bundle').filter(matches)
  objects.sort((a, b) => (a.guid < b.guid ? -1 : 1))
  const records = objects.slice(page * limit, (page + 1) * limit).map(record => documentOf(state, record))
  return json({ records, ids: ids ?? null, limit, start, page, hashes: Object.fromEntries(hashes) })
}

export function indexService(state: CommonsState, { rest }: Call): Answer {
  if (rest === '_status') return { status: 200, body: 'Healthy', headers: { 'Content-Type': 'text/html' } }
  if (rest === '_version') return json({ version: '5.0.0', commit: '0000000' })
  const objects = [...state.records.values()].filter(record => record.form !== 'bundle')
  const totalFileSize = objects.reduce((sum, { size }) => sum + (size ?? 0), 0)
  return json({ fileCount: objects.length, totalFileSize })
}

/** Other index services it knows of. */
export function indexDist(state: CommonsState): Answer {
  return json(
    [...state.prefixes].map(([prefix, { host, name, type }]) => ({
      name,
      host,
      hints: [`.*${prefix.replaceAll('.', '\\.')}.*`],
      type,
    })),
  )
}

export function documentOf(state: CommonsState, record: CommonsRecord): object {
  return record.form === 'bundle' ? bundleDocument(state, record) : objectDocument(record)
}

function objectDocument(record: ObjectRecord): object {
  const urls = record.locations.map(({ url }) => url)
  return {
    did: record.guid,
    baseid: record.baseid,
    rev: record.rev,
    size: record.size,
    file_name: record.name,
    version: null,
    uploader: null,
    urls,
    urls_metadata: Object.fromEntries(urls.map(url => [url, {}])),
    acl: record.acl,
    authz: record.authz,
    hashes: record.hashes,
    metadata: {},
    form: record.form,
    created_date: record.created,
    updated_date: record.created,
    description: null,
    content_created_date: null,
    content_updated_date: null,
  }
}

function bundleDocument(state: CommonsState, record: BundleRecord): object {
  const digest = bundleDigest(state, record)
  return {
    id: record.guid,
    name: record.name,
    form: 'bundle',
    size: bundleSize(state, record),
    checksum: JSON.stringify(Object.entries(digest).map(([type, checksum]) => ({ type, checksum }))),
    created_time: record.created,
    updated_time: record.created,
    bundle_data: record.contents.map(({ id, name }) => ({ id, name: name ?? state.records.get(id)?.name ?? id })),
  }
}

function aliases(state: CommonsState, guid: string): Answer {
  const record = state.records.get(guid)
  if (!record || record.form === 'bundle') return indexdError(404, 'no record found')
  return json({ aliases: record.aliases.map(value => ({ value })) })
}

function versions(state: CommonsState, guid: string, rest: 'latest' | 'versions'): Answer {
  const record = state.records.get(guid)
  if (!record || record.form === 'bundle') return indexdError(404, 'no record found')
  const all = [...state.records.values()].filter(one => one.form !== 'bundle' && one.baseid === record.baseid)
  const documents = all.map(one => documentOf(state, one))
  return json(rest === 'latest' ? documents.at(-1) : Object.fromEntries(documents.map((one, index) => [index, one])))
}
