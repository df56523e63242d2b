/**
 * Whether a name that is taken is this very content, and safe there. A row in a catalogue keeps no bytes: whoever hears "kept
 * already" may delete their own, so at least one copy must be within reach and good when it was read last.
 */
import { type ExistingFile, existingFile, LibrarianError } from '@arriero/api'
import { findAt } from '../download/find-copies.ts'
import type { Librarian } from '../librarian.ts'

export interface Wanted {
  readonly name: string
  /** Wire form. */
  readonly checksum: string
  readonly size: number
}

/**
 * @param told what the librarian said of the name when it refused it; older ones say nothing, and are asked
 * @returns false: other content has the name
 * @throws LibrarianError `NoGoodCopy` or `StoreUnavailable`: it is this content, and no copy of it can be relied on
 */
export async function isKept(
  librarian: Librarian,
  wanted: Wanted,
  told: unknown,
  { signal }: { readonly signal: AbortSignal },
): Promise<boolean> {
  const { success, data } = existingFile.safeParse(told)
  const existing = success ? data : await ask(librarian, wanted.name, signal)
  if (existing?.name !== wanted.name || existing.checksum !== wanted.checksum || existing.size !== wanted.size)
    return false
  const { copies, elsewhere } = existing
  if (copies.some(({ state }) => state === 'ok')) return true
  if (copies.some(({ state }) => state === 'never-checked') && (await isReadAsGood(librarian, wanted, signal)))
    return true
  // Its own copies may have been given up on purpose, once others had it.
  if (elsewhere.length > 0 && !copies.some(({ state }) => bad.has(state))) return true
  throw unsafe(existing, librarian)
}

const bad: ReadonlySet<string> = new Set(['mismatch', 'missing', 'unreadable', 'never-checked'])

/** Of an older librarian that says nothing of states, what it calls available is all that is known. */
async function ask(librarian: Librarian, name: string, signal: AbortSignal): Promise<ExistingFile | undefined> {
  const file = await findAt(librarian, name, signal)
  if (!file || file.size === null || file.checksum === null) return undefined
  const { kind = 'file', size, checksum, instances, remote_instances } = file
  const copies = instances.map(({ path, available, state }) => {
    const known = state ?? 'ok'
    return { store: path, state: available || bad.has(known) ? known : 'withdrawn' }
  })
  return { name, kind, size, checksum, copies, elsewhere: remote_instances.map(each => each.librarian_name) }
}

/** After a rebuild nobody has read anything yet: it is read now. */
async function isReadAsGood({ api }: Librarian, { name, checksum }: Wanted, signal: AbortSignal): Promise<boolean> {
  const read = await api.validate.file({ file_name: name }, { signal })
  return read.some(copy => copy.computed_same_checksum && copy.original_checksum === checksum)
}

function unsafe({ name, copies, elsewhere }: ExistingFile, { connection }: Librarian): LibrarianError {
  const met = copies.map(({ store, state, since }) => {
    const time = since ? ` since ${since.replace('T', ' ').replace(/\.\d+$/, '')} UTC` : ''
    return `the one on ${store} is ${words[state] ?? state}${time}`
  })
  const states = met.length === 0 ? 'it has none' : met.join('; ')
  const others = elsewhere.length === 0 ? '' : `; ${elsewhere.join(' and ')} is known to have one`
  const isOnlyAway = copies.length > 0 && copies.every(({ state }) => state === 'unavailable')
  const what = `Cannot rely on ${name}: ${connection.name} knows it with this content, but no copy there is known to be good and within reach: ${states}${others}`
  return new LibrarianError(isOnlyAway ? 'StoreUnavailable' : 'NoGoodCopy', what, {
    remedy: isOnlyAway
      ? 'Keep your own copy; say the same again when the disk of that store is back.'
      : `Keep your own copy, and tell the operator: \`arriero validate ${name}\` reads every copy and says what is wrong. Under another name it is kept at once.`,
  })
}

const words: Readonly<Record<string, string>> = {
  mismatch: 'damaged',
  unavailable: 'out of reach: the store’s disk is not there',
  'never-checked': 'not good, or cannot be read now',
  withdrawn: 'taken out of use',
  disabled: 'on a store that is switched off',
}
