import { LibrarianError } from '@arriero/api'
import type { Repeated } from '../../catalogue/operations/receiving.ts'

/** The most important kind first (librarian 10.3). */
const kinds = ['TransferOngoing', 'FileExists', 'TransferReplaced'] as const

const remedies: Readonly<Record<(typeof kinds)[number], string>> = {
  TransferOngoing: 'Wait for the transfers that are under way, then try again.',
  FileExists: 'Compare what is kept here with your own, and send the others again.',
  TransferReplaced: 'End your own transfers of the earlier attempt, then try again.',
}

/** Of a batch of which nothing was announced: only those of the most important kind are told. */
export function refuseRepeated(repeated: readonly Repeated[]): LibrarianError {
  const code = kinds.find(kind => repeated.some(one => one.code === kind))!
  const told = repeated.filter(one => one.code === code)
  return new LibrarianError(code, `Cannot take the batch: ${told.length} of it were announced before or are kept`, {
    remedy: remedies[code],
    fields: {
      source_transfer_ids: told.map(({ sourceTransferId }) => sourceTransferId),
      destination_transfer_ids: told.map(() => -1),
    },
  })
}
