/** What became of one row of a manifest: a line of the report (gen3 12). */
import { type ErrorDetails, TransferError } from '../errors.ts'
import { CONTRADICTION, contradictionText } from '../integrity/contradiction.ts'
import { isSecretName, redactText, redactUrl } from '../redact.ts'
import type { DownloadResult } from '../results.ts'
import type { Entry } from './entry.ts'

const OUTCOME_STATUSES = [
  'downloaded',
  'resumed',
  'skipped_complete',
  'skipped_size_only',
  'skipped_by_hook',
  'duplicate',
  'unverified',
  'denied',
  'not_found',
  'invalid',
  'unsafe_name',
  'checksum_mismatch',
  'failed',
  'cancelled',
] as const

/** What became of a row, in the words of reports. */
export type OutcomeStatus = (typeof OUTCOME_STATUSES)[number]

/** Names are those of the report, which other programs read. */
export interface Outcome {
  /** Position in the manifest from 0; parts of a bundle have that of its row. */
  readonly index: number
  /** Line of the manifest, from 1. */
  readonly line?: number | undefined
  readonly ok: boolean
  readonly status: OutcomeStatus
  /** As the row wrote it. */
  readonly object_id?: string | undefined
  /** Redacted. */
  readonly uri?: string | undefined
  readonly host?: string | undefined
  /** As the row has it. */
  readonly requested_name?: string | undefined
  /** Absolute. */
  readonly path?: string | undefined
  readonly size_expected?: number | undefined
  readonly size_actual?: number | undefined
  readonly checksum_type?: string | undefined
  readonly checksum_expected?: string | undefined
  readonly checksum_actual?: string | undefined
  readonly verified: boolean
  readonly renamed_from?: string | undefined
  /** What was there was another file, and was replaced. */
  readonly repaired?: true | undefined
  /** Index of an earlier row that names the same object. */
  readonly duplicate_of?: number | undefined
  /** Index of an earlier row with the same size and MD5 under another id. */
  readonly same_content_as?: number | undefined
  /** The commons says another size or digest than the row. */
  readonly metadata_mismatch?: string | undefined
  readonly attempts?: number | undefined
  /** Over the network. */
  readonly bytes_transferred?: number | undefined
  /** Bytes that an earlier run had left. */
  readonly resumed_from?: number | undefined
  /** ISO, UTC. */
  readonly started?: string | undefined
  readonly ended?: string | undefined
  readonly http_status?: number | undefined
  /** `denied`, or finer where there is more to say: `token_expired`. */
  readonly error_class?: string | undefined
  readonly error?: string | undefined
  /** What can be done about it. */
  readonly remedy?: string | undefined
  /** What the row said beyond what is known. */
  readonly extra?: Readonly<Record<string, unknown>> | undefined
}

export interface About {
  readonly renamedFrom?: string | undefined
  readonly sameContentAs?: number | undefined
  /** Milliseconds since 1970. */
  readonly endedAt: number
}

/** Statuses that count as success. */
const GOOD: ReadonlySet<OutcomeStatus> = new Set([
  'downloaded',
  'resumed',
  'skipped_complete',
  'skipped_size_only',
  'skipped_by_hook',
  'duplicate',
  'unverified',
])

export function outcomeOf(entry: Entry, status: OutcomeStatus, more: Partial<Outcome> = {}): Outcome {
  const [checksum] = entry.checksums
  const [uri] = entry.uris
  return {
    index: entry.index,
    line: entry.line,
    ok: GOOD.has(status),
    status,
    object_id: entry.id,
    uri: uri === undefined ? undefined : redactUrl(uri),
    host: uri === undefined ? undefined : hostOf(uri),
    requested_name: entry.path,
    size_expected: entry.size,
    checksum_type: checksum?.algorithm,
    checksum_expected: checksum?.value,
    verified: false,
    extra: entry.extra && (shownValue(entry.extra) as Outcome['extra']),
    ...more,
  }
}

export function outcomeOfResult(entry: Entry, result: DownloadResult, about: About): Outcome {
  const { verification, resource, timings } = result
  const check = verification.checks.find(({ outcome }) => outcome === 'match') ?? verification.checks[0]
  const isProven = verification.proof === 'checksum' || verification.proof === 'bytes'
  return outcomeOf(entry, statusOf(result, isProven), {
    path: result.path,
    size_expected: entry.size ?? resource.size,
    size_actual: result.bytes,
    checksum_type: check?.algorithm,
    checksum_expected: check?.value,
    checksum_actual: check?.actual,
    verified: isProven,
    renamed_from: about.renamedFrom,
    repaired: result.isRepaired || undefined,
    same_content_as: about.sameContentAs,
    metadata_mismatch: verification.contradiction,
    attempts: result.retries + 1,
    bytes_transferred: result.networkBytes,
    resumed_from: result.resumedBytes > 0 ? result.resumedBytes : undefined,
    started: iso(about.endedAt - timings.totalMs),
    ended: iso(about.endedAt),
  })
}

/** What a row says beyond what is known may be anything, also a signed address or a token. */
function shownValue(value: unknown, name = ''): unknown {
  if (typeof value === 'string') return value !== '' && isSecretName(name) ? '***' : redactText(value)
  if (Array.isArray(value)) return value.map(each => shownValue(each, name))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shownValue(inner, key)]))
}

function statusOf({ status, resumedBytes }: DownloadResult, isProven: boolean): OutcomeStatus {
  if (status === 'skipped') return isProven ? 'skipped_complete' : 'skipped_size_only'
  if (!isProven) return 'unverified'
  return resumedBytes > 0 ? 'resumed' : 'downloaded'
}

export function outcomeOfError(entry: Entry, error: unknown, more: Partial<Outcome> = {}): Outcome {
  const { code, message, details, remedy } = told(error)
  const { status, attempts, reason } = details
  return outcomeOf(entry, statusOfError(code, reason), {
    http_status: status,
    attempts,
    error_class: reason ?? spelled(code),
    error: redactText(message),
    remedy,
    ...mismatch(code, details),
    ...more,
  })
}

function mismatch(code: string, { algorithm, expected = '', actual = '', reason }: ErrorDetails): Partial<Outcome> {
  // Nothing was fetched: there is no actual digest.
  if (reason === CONTRADICTION) {
    const text = contradictionText({ what: algorithm ?? 'size', listed: expected, catalogued: actual })
    return { metadata_mismatch: text }
  }
  if (code !== 'ChecksumMismatch') return {}
  return { checksum_type: algorithm, checksum_expected: expected, checksum_actual: actual }
}

function statusOfError(code: string, reason: string | undefined): OutcomeStatus {
  switch (code) {
    case 'Denied':
    case 'Expired':
      return 'denied'
    case 'NotFound':
      return 'not_found'
    case 'Usage':
      return reason === 'collision' ? 'failed' : 'invalid'
    case 'PathUnsafe':
      return 'unsafe_name'
    case 'ChecksumMismatch':
      return 'checksum_mismatch'
    case 'Cancelled':
      return 'cancelled'
    default:
      return 'failed'
  }
}

function told(
  error: unknown,
): Pick<TransferError, 'message' | 'details'> & { code: string; remedy?: string | undefined } {
  if (error instanceof TransferError) return error
  const { code, message, remedy } = error as { code?: unknown; message?: unknown; remedy?: unknown }
  return {
    code: typeof code === 'string' ? code : 'Unexpected',
    message: typeof message === 'string' ? message : String(error),
    details: {},
    remedy: typeof remedy === 'string' ? remedy : undefined,
  }
}

/** Codes of the library as reports have them: `NotFound` is `not_found`, as the status is. */
function spelled(code: string): string {
  return code.replace(/\B[A-Z]/g, '_$&').toLowerCase()
}

function hostOf(uri: string): string | undefined {
  const host = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/@]*@)?([^/?#]+)/i.exec(uri)?.[1]
  return host === '' ? undefined : host?.toLowerCase()
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
