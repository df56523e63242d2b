/** What services found, as the wire tells it. */
import type { AnswerInput, endpoints } from '@arriero/api'
import { z } from 'zod'
import type { AuditRow } from '../../catalogue/operations/audit.ts'
import type { DescribedFile, NameCursor } from '../../catalogue/operations/names.ts'
import type { PagedTransfer } from '../../catalogue/operations/transfer-pages.ts'
import type { CopyState } from '../../catalogue/schema.ts'
import type { Site } from '../../services/dashboard/sites.ts'
import { mayRetry } from '../../services/sending/retry.ts'

type Dashboard = typeof endpoints.dashboard

export const nameCursor: z.ZodType<NameCursor> = z.discriminatedUnion('phase', [
  z.object({ phase: z.literal('prefix'), name: z.string().max(300) }),
  z.object({ phase: z.literal('index'), row: z.int() }),
  z.object({ phase: z.literal('scan'), time: z.string().max(40), name: z.string().max(300) }),
])

/** The last number of a page. */
export const numberCursor = z.int()

/** From grave to good. */
const gravity: readonly CopyState[] = ['mismatch', 'missing', 'unreadable', 'unavailable', 'never-checked', 'ok']

export function foundFileAnswer(file: DescribedFile): AnswerInput<Dashboard['files']>['files'][number] {
  const { name, size, create_time, uploader, source, states, remoteCopies } = file
  return {
    file_name: name,
    size,
    create_time,
    uploader,
    source,
    copies: states.length,
    remote_copies: remoteCopies,
    state: gravity.find(state => states.includes(state)) ?? null,
  }
}

export function siteAnswer({ peer, ...site }: Site): AnswerInput<Dashboard['sites']>['sites'][number] {
  return {
    librarian_name: peer.name,
    enabled: peer.transfersEnabled,
    refused_since: peer.refusedSince,
    last_seen: peer.lastSeen,
    last_heard: peer.lastHeard,
    ...site,
  }
}

export function transferAnswer(
  transfer: PagedTransfer,
  direction: 'in' | 'out',
): AnswerInput<Dashboard['transfers']>['transfers'][number] {
  return {
    id: transfer.id,
    file_name: transfer.fileName,
    librarian_name: transfer.other,
    state: transfer.status,
    size: transfer.size,
    method: transfer.method,
    start_time: transfer.started,
    active_time: transfer.active,
    end_time: transfer.ended,
    reason: transfer.reason,
    may_retry: direction === 'out' && mayRetry(transfer),
  }
}

export function auditAnswer(row: AuditRow): AnswerInput<Dashboard['audit']>['entries'][number] {
  const { id, time, actor, action, subject, detail } = row
  return { id, time, actor, action, subject, detail }
}
