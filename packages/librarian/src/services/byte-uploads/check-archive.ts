import { LibrarianError } from '@arriero/api'
import type { IncomingTransfer } from '../../catalogue/operations/uploads.ts'
import { MOST_OVERHEAD } from '../../stores/archive-members.ts'
import { keepsNoTrees } from '../../stores/refusals.ts'
import type { SiteStore } from '../../stores/stores.ts'
import type { NotedArchive } from './notes.ts'

/** Blocks of 512 bytes, two of them at the end. */
const BLOCK = 512

/** Whether this archive may come: before its first byte, since some have many. */
export async function checkArchive(
  { token, transfer }: { readonly token: string; readonly transfer: IncomingTransfer },
  { length }: NotedArchive,
  { name, store }: SiteStore,
): Promise<void> {
  if (!store.capabilities.hasTrees) throw keepsNoTrees(name)
  const size = transfer.transfer_size
  if (length % BLOCK !== 0 || length < size + 2 * BLOCK || length > size + MOST_OVERHEAD) {
    const must = `an archive of ${size} bytes must have whole blocks of ${BLOCK}, two more than its files need at least`
    throw new LibrarianError('BadArchive', `Cannot take an archive as upload ${token}: ${must}, got ${length}`)
  }
  const state = await store.state()
  if (state.available && state.free < length + size) {
    const message = `Cannot take an archive as upload ${token}: store ${name} must have ${length + size} bytes for it and what is in it, it has ${state.free}`
    throw new LibrarianError('NoSpace', message)
  }
}
