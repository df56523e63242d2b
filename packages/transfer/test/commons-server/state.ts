/** What the services of one commons share. */
import type { FaultRequest } from '../fault-server/log.ts'
import type { Answer } from './answers.ts'
import type { FaultSwitches } from './fault-switches.ts'
import type { CommonsOptions } from './options.ts'
import type { CommonsRecord } from './records.ts'
import type { Route } from './routes.ts'
import type { Storage } from './storage.ts'
import type { Token, Tokens } from './tokens.ts'

export interface CommonsState {
  readonly options: CommonsOptions
  readonly origin: string
  readonly host: string
  readonly prefix: string
  readonly tokenTtlS: number
  readonly urlTtlS: number
  readonly records: Map<string, CommonsRecord>
  readonly tokens: Tokens
  readonly faults: FaultSwitches
  readonly storage: Storage
  /** User to resources. */
  readonly grants: Map<string, Set<string>>
  /** Client identifier to secret. */
  readonly clients: Map<string, string>
  readonly connections: Connection[]
  /** What the metadata service holds: identifier to document. */
  readonly metadata: Map<string, unknown>
  /** Prefix to host, as the aggregate metadata tells. */
  readonly prefixes: Map<string, PrefixEntry>
  /** Stored manifests by name. */
  readonly manifests: Map<string, string>
  /** Milliseconds since 1970 by its own clock. */
  nowMs(): number
}

/** Another commons that tokens can be had for. */
export interface Connection {
  readonly name: string
  readonly idp: string
  readonly baseUrl: string
  /** Seconds since 1970 when the refresh token ends; undefined: the user has never logged in. */
  readonly endsAtS: number | undefined
  issue(ttlS: number | undefined): string
}

export interface PrefixEntry {
  readonly host: string
  readonly name: string
  readonly type: string
}

/** A request that has found its route. */
export interface Call {
  readonly route: Route
  readonly request: FaultRequest
  /** Identifier in the path, decoded; empty when the route has none. */
  readonly guid: string
  /** What else the path names. */
  readonly rest: string
  readonly query: URLSearchParams
  /** The access token it came with, when that is good. */
  readonly token: Token | undefined
}

export type Handler = (state: CommonsState, call: Call) => Answer | Promise<Answer>

/** The body, when it is JSON. */
export function jsonBody(call: Call): unknown {
  try {
    return JSON.parse(call.request.body.toString())
  } catch {
    return undefined
  }
}

/** A property of a value that may be anything. */
export function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
}

export function strings(value: unknown): string[] | undefined {
  return Array.isArray(value) && value.every(one => typeof one === 'string') ? value : undefined
}

/** A record by its identifier, with or without the prefix of this commons, or by an alias. */
export function findRecord(state: CommonsState, id: string): CommonsRecord | undefined {
  const { records, prefix } = state
  const exact = records.get(id)
  if (exact) return exact
  if (prefix !== '') {
    const other = id.startsWith(`${prefix}/`) ? id.slice(prefix.length + 1) : `${prefix}/${id}`
    const record = records.get(other)
    if (record) return record
  }
  return [...records.values()].find(record => record.form !== 'bundle' && record.aliases.includes(id))
}

export function isAbsent(state: CommonsState, bulk: 'download' | 'index' | 'drs-object' | 'drs-access'): boolean {
  const { withoutBulk = false } = state.options
  return typeof withoutBulk === 'boolean' ? withoutBulk : withoutBulk.includes(bulk)
}
