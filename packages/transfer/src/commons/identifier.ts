/**
 * Names of objects in data commons: bare GUIDs, and DRS URIs in both of their forms, with the spellings that Gen3 commons
 * use although the specification does not know them (gen3 5.1). Pure; no URL parser, because compact forms are no URLs.
 */
import { TransferError } from '../errors.ts'

/** An object, and what its name says of where it is. */
export interface Identifier {
  /** As it was written. */
  readonly text: string
  /** `host[:port]` that serves it; the name itself says so. */
  readonly host?: string | undefined
  /** What a resolver turns into a host, lower case: `dg.4503`, `drs.42`, `provider/namespace`. */
  readonly prefix?: string | undefined
  /** Decoded. Ids of Gen3 commons include their prefix. */
  readonly objectId: string
}

export interface IdentifierOptions {
  /** Take `host:8443/…` for a host with a port, which DRS does not know. For tests. Default false. */
  readonly allowPort?: boolean | undefined
}

const SCHEME = /^(?:drs|dos):\/\//i
/** Our form of an id without a host: at the home commons, or wherever its prefix leads. */
const BARE_SCHEME = /^(?:drs|dos):(?!\/)/i
/** Prefixes of the registries of Gen3 and GA4GH, which are no host names. */
const REGISTERED_PREFIX = /^(?:dg|drs)\.[0-9a-z-]+$/i
const HOST_AND_PORT = /^[^:]+:\d{1,5}$/
/** No prefix is called so: with a port, too, it is a host. */
const ADDRESS = /^(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.]+\]|localhost)(?::\d{1,5})?$/i
const OBJECTS_PATH = /^https?:\/\/([^/?#]+)\/ga4gh\/drs\/v1\/objects\/([^?#]+)$/i
const OTHER_SCHEME = /^(ark|doi):/i

/**
 * @throws TransferError Usage for what names no object
 * @example
 * ```ts
 * parseIdentifier('drs://dg.4503:dg.4503%2F1234') // { prefix: 'dg.4503', objectId: 'dg.4503/1234', … }
 * parseIdentifier('drs://example.org/1234') // { host: 'example.org', objectId: '1234', … }
 * parseIdentifier('drs:dg.4503/1234') // { prefix: 'dg.4503', objectId: 'dg.4503/1234', … }
 * ```
 */
export function parseIdentifier(text: string, options: IdentifierOptions = {}): Identifier {
  const direct = OBJECTS_PATH.exec(text)
  if (direct) return { text, host: direct[1]!.toLowerCase(), objectId: nonEmpty(decoded(direct[2]!, text), text) }
  const scheme = SCHEME.exec(text)
  const bare = BARE_SCHEME.exec(text)
  if (bare) return { ...parseBare(decoded(text.slice(bare[0].length), text)), text }
  if (!scheme) return parseBare(text)
  const rest = text.slice(scheme[0].length)
  if (/[?#]/.test(rest)) throw bad(text, 'it must not have a query or a fragment')
  return { text, ...parseRest(rest, text, options) }
}

function parseRest(rest: string, text: string, { allowPort }: IdentifierOptions): Omit<Identifier, 'text'> {
  const slash = rest.indexOf('/')
  const first = slash < 0 ? rest : rest.slice(0, slash)
  const after = slash < 0 ? '' : rest.slice(slash + 1)
  if (first === '') throw bad(text, 'a host or a prefix must follow the slashes')
  const isHost = slash >= 0 && (ADDRESS.test(first) || (allowPort === true && HOST_AND_PORT.test(first)))
  if (first.includes(':') && !isHost) return compact(rest, text)
  if (REGISTERED_PREFIX.test(first)) {
    const prefix = first.toLowerCase()
    return { prefix, objectId: `${prefix}/${nonEmpty(decoded(after, text), text)}` }
  }
  if (first.includes('.') || isHost) {
    return { host: first.toLowerCase(), objectId: nonEmpty(decoded(after, text), text) }
  }
  if (rest.includes(':')) return compact(rest, text)
  throw bad(text, 'it must be drs://host/id or drs://prefix:id')
}

/** `prefix:accession`, split at the first colon. */
function compact(rest: string, text: string): Pick<Identifier, 'prefix' | 'objectId'> {
  const colon = rest.indexOf(':')
  const prefix = rest.slice(0, colon).toLowerCase()
  if (prefix === '') throw bad(text, 'a prefix must come before the colon')
  return { prefix, objectId: nonEmpty(decoded(rest.slice(colon + 1), text), text) }
}

/** A bare GUID, perhaps behind the prefix of its commons. */
function parseBare(text: string): Identifier {
  const other = OTHER_SCHEME.exec(text)
  if (other) throw bad(text, `${other[1]!.toUpperCase()} names are resolved behind drs:// only`)
  if (text === '' || /\s/.test(text) || /^(?:[a-z][a-z0-9+.-]*:\/\/|drs:|dos:)/i.test(text))
    throw bad(text, 'it must be a GUID or a DRS URI')
  nonEmpty(text, text)
  const slash = text.indexOf('/')
  const prefix = slash > 0 ? text.slice(0, slash) : undefined
  const isPrefixed = prefix !== undefined && REGISTERED_PREFIX.test(prefix)
  return { text, prefix: isPrefixed ? prefix.toLowerCase() : undefined, objectId: text }
}

function decoded(part: string, text: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw bad(text, 'its percent-encoding must be that of UTF-8')
  }
}

/** Ids become parts of paths: these two would lead elsewhere, with the token. */
const ELSEWHERE = /(?:^|\/)\.{1,2}(?:\/|$)/

function nonEmpty(objectId: string, text: string): string {
  if (ELSEWHERE.test(objectId)) throw bad(text, 'no part of an id may be . or ..')
  if (objectId === '') throw bad(text, 'an object id must follow')
  return objectId
}

function bad(text: string, why: string): TransferError {
  return new TransferError('Usage', `Cannot take ${JSON.stringify(text)} for an object: ${why}`)
}
