/** Comparing copies with what was recorded, here and at other librarians (librarian 10.9). */
import { type AnswerInput, endpoints, LibrarianError, toNaive } from '@arriero/api'
import type { PeerValidation } from '../services/validate-peers.ts'
import type { AbsentCopy, ValidatedCopy, Validation } from '../services/validation.ts'
import { type Route, route } from './route.ts'

export interface ValidateRoutesOptions {
  readonly librarianName: string
  /** Default: nobody else is asked. */
  readonly peers?: PeerValidation | undefined
}

type Entry = AnswerInput<typeof endpoints.validate.file>[number]
type Absent = NonNullable<Entry['absent']>[number]

export function validateRoutes(validation: Validation, { librarianName, peers }: ValidateRoutesOptions): Route[] {
  return [
    route(endpoints.validate.file, async ({ file_name, via = [], fresh = false }, { caller, signal }) => {
      // A full reading each time is not for everybody who may look.
      if (fresh && caller.level !== 'READONLY') {
        const { copies, absent } = await validation.validate(file_name, { isFresh: true })
        return withAbsent(
          copies.map(copy => entryOf(copy, librarianName)),
          absent.map(copy => absentOf(copy, librarianName)),
        )
      }
      const [{ copies, absent }, remote] = await Promise.all([
        validation.validate(file_name),
        peers?.ask(file_name, via, signal) ?? { entries: [], unreachable: [] },
      ])
      const entries = copies.map(copy => entryOf(copy, librarianName))
      const told = withAbsent(
        [...entries, ...remote.entries],
        absent.map(copy => absentOf(copy, librarianName)),
      )
      return withUnreachable(told, remote.unreachable)
    }),
  ]
}

function entryOf(copy: ValidatedCopy, librarian: string): Entry {
  const { file, instance, storeName, checksum, size, isSame, checkedTime, state, reason } = copy
  return {
    librarian,
    store: instance.store_id,
    store_name: storeName,
    instance_id: instance.id,
    original_checksum: file.checksum,
    original_size: file.size,
    current_checksum: checksum,
    current_size: size,
    computed_same_checksum: isSame,
    checked_time: toNaive(checkedTime),
    state,
    reason,
  }
}

function absentOf({ instance, storeName, state, reason }: AbsentCopy, librarian: string): Absent {
  return { librarian, store: instance.store_id, store_name: storeName, instance_id: instance.id, state, reason }
}

/** Told with the first copy, as who gave no answer is: else a copy that is good elsewhere would hide that ours is gone. */
function withAbsent(entries: readonly Entry[], absent: readonly Absent[]): Entry[] {
  const [first, ...rest] = entries
  if (!first || absent.length === 0) return [...entries]
  return [{ ...first, absent: [...(first.absent ?? []), ...absent] }, ...rest]
}

/**
 * The answer is a list of copies, so who gave none is told with the first of them; with no copy at all, as later releases do
 * (librarian 17): an empty list would say that there is none.
 */
function withUnreachable(entries: readonly Entry[], unreachable: readonly string[]): Entry[] {
  if (unreachable.length === 0) return [...entries]
  const [first, ...rest] = entries
  if (first) return [{ ...first, unreachable: [...new Set([...(first.unreachable ?? []), ...unreachable])] }, ...rest]
  throw new LibrarianError('PeerUnreachable', `Cannot check all copies: ${unreachable.join(', ')} must answer`, {
    fields: { unreachable },
  })
}
