/** Notices for programs: one form of JSON for whatever takes it from there. */
import type { Notice } from './notices.ts'
import { type LogRecord, placeOf, textOf } from './record.ts'

export interface Webhook {
  /** Of this form; another number would mean another one. */
  readonly version: 1
  /** Its name among librarians, and the one for people. */
  readonly librarian: string
  readonly site: string
  /** How many lines of the log it stands for. */
  readonly count: number
  /** How many were not sent before it. */
  readonly lost: number
  /** Of many at once the first few. */
  readonly messages: readonly WebhookMessage[]
}

export interface WebhookMessage {
  readonly level: string
  readonly time: string | null
  readonly caller: string
  readonly place: string
  readonly message: string
  /** By which the log has all lines of the call. */
  readonly request: string | null
  readonly transfer: number | null
}

export function webhookForm({ librarian, site }: Pick<Webhook, 'librarian' | 'site'>): (notice: Notice) => Webhook {
  return ({ records, count, lost }) => ({ version: 1, librarian, site, count, lost, messages: records.map(messageOf) })
}

function messageOf(record: LogRecord): WebhookMessage {
  const { level, time = null, caller = 'server', request = null, transfer = null } = record
  const message = textOf(record).slice(0, 4000)
  return { level, time, caller, place: placeOf(record), message, request, transfer }
}
