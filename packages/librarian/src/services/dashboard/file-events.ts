/** The rows of a file's history as events that people read, newest first. */
import type { Instant } from '@arriero/api'
import type { FileRecord } from '../../catalogue/operations/files.ts'
import type { FileHistory, Move, Reading, Removal } from '../../catalogue/operations/histories.ts'

export interface FileEvent {
  readonly time: Instant
  readonly what: string
  /** User or librarian; empty: nobody is known. */
  readonly who: string
  readonly detail: string
}

const MOST = 200

/** Acts and those who did them are for administrators. */
export function eventsOf(
  file: Pick<FileRecord, 'create_time' | 'uploader' | 'source'>,
  { moves, readings, removals, acts }: FileHistory,
  { isAdmin }: { isAdmin: boolean },
): FileEvent[] {
  const created = { time: file.create_time, what: 'kept', who: file.uploader, detail: `first came from ${file.source}` }
  const events: FileEvent[] = [
    created,
    ...moves.map(ofMove),
    ...readings.map(ofReading),
    ...removals.map(removal => ofRemoval(removal, isAdmin)),
    ...(isAdmin
      ? acts.map(({ time, actor, action, detail }) => ({ time, what: action, who: actor, detail: outcomeOf(detail) }))
      : []),
  ]
  return events.toSorted((a, b) => (a.time < b.time ? 1 : a.time > b.time ? -1 : 0)).slice(0, MOST)
}

function ofMove({ time, kind, status, other, isClone, reason }: Move): FileEvent {
  const what = { in: isClone ? 'received' : 'uploaded', out: 'sent', between: 'copied' }[kind]
  const ended = status === 'COMPLETED' ? '' : status.toLowerCase()
  const detail = [kind === 'between' ? other : '', ended, reason ?? ''].filter(each => each !== '').join(': ')
  return { time, what, who: kind === 'between' ? '' : other, detail }
}

function ofReading({ time, by, medium, outcome, where }: Reading): FileEvent {
  return { time, what: 'proof', who: by, detail: `${outcome} at ${where} (${medium})` }
}

function ofRemoval({ time, actor, reason, store, state }: Removal, isAdmin: boolean): FileEvent {
  return { time, what: 'deleted', who: isAdmin ? actor : '', detail: `from ${store}: ${reason} (${state})` }
}

function outcomeOf(detail: string): string {
  const { outcome, reason } = (JSON.parse(detail) ?? {}) as { outcome?: unknown; reason?: unknown }
  return [outcome, reason].filter(each => typeof each === 'string').join(': ')
}
