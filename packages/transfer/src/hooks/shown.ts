/** What hooks get to see of answers: never a secret. */

import type { Headers } from '../integrity/headers.ts'
import { isSecretName, redactText, redactUrl } from '../redact.ts'
import type { Resource } from '../resource.ts'
import type { Listed } from '../source.ts'

export function shownResource(resource: Resource): Resource {
  const { resolvedUrl } = resource
  return resolvedUrl === undefined ? resource : { ...resource, resolvedUrl: redactUrl(resolvedUrl) }
}

export function shownHeaders(headers: Headers): Headers {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, shownValue(name, value)]))
}

export function shownEntries(entries: readonly Listed[]): readonly Listed[] {
  return entries.map(entry => {
    const uri = redactUrl(entry.uri)
    return uri === entry.uri ? entry : { ...entry, uri }
  })
}

function shownValue(name: string, value: Headers[string]): Headers[string] {
  if (value === undefined) return undefined
  if (isSecretName(name)) return '***'
  return typeof value === 'string' ? shownText(value) : value.map(shownText)
}

/** Where there is no address, there is nothing that must be hidden under a harmless name. */
function shownText(value: string): string {
  return value.includes('://') ? redactText(value) : value
}
