/** What of the metadata service and of stored manifests a client meets (gen3 1, 4.1, 5.2). */
import { type Answer, fenceError, indexdError, json } from './answers.ts'
import { signedUrl } from './fence.ts'
import type { Call, CommonsState } from './state.ts'

export function metadata(state: CommonsState, call: Call): Answer {
  const { rest, guid } = call
  if (rest === 'metadata') return document(state.metadata.get(guid), guid)
  if (rest === 'aggregate') return document(state.prefixes.get(guid), guid)
  if (!state.options.hasShepherd) return json({ detail: 'Not Found' }, 404)
  if (rest === 'version') return json('2.1.0')
  return rest === 'download' ? shepherdUrl(state, call) : shepherdObject(state, guid)
}

export function manifests(state: CommonsState, { token, rest }: Call): Answer {
  if (!token) return indexdError(403, 'Please log in')
  if (rest === '') {
    const all = [...state.manifests.keys()]
    return json({ manifests: all.map(filename => ({ filename, last_modified: '2026-01-02 03:04:05' })) })
  }
  const body = state.manifests.get(rest)
  return body === undefined ? indexdError(404, `No manifest ${rest}`) : json({ body })
}

function document(found: unknown, id: string): Answer {
  return found === undefined ? json({ detail: `Not found: ${id}` }, 404) : json(found)
}

function shepherdObject(state: CommonsState, guid: string): Answer {
  const record = state.records.get(guid)
  if (!record || record.form === 'bundle') return json({ detail: `Not found: ${guid}` }, 404)
  const { name, size, hashes, authz, rev } = record
  return json({
    record: { did: guid, file_name: name, size, hashes, authz, rev },
    metadata: state.metadata.get(guid) ?? {},
  })
}

function shepherdUrl(state: CommonsState, call: Call): Answer {
  const signed = signedUrl(state, call, call.guid, undefined)
  return 'refused' in signed ? fenceError(signed.refused, signed.message) : json({ url: signed.url })
}
