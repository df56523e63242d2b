/** What the commands of the older program do, and print (librarian 14.2). The return values are exit codes. */
import { isAbsolute } from 'node:path'
import { type Context, printLine } from '../context.ts'
import { ProgramError, tell, toLine } from '../errors.ts'
import { exitCodes } from '../exit-codes.ts'
import { type FoundFile, type Librarian, loadClient, patientRetries, withLibrarian } from '../librarian/client.ts'
import type { Category, Severity } from '../librarian/error-kinds.ts'
import { levelNumber } from '../librarian/levels.ts'
import { type PasswordFlags, readPassword } from '../librarian/read-password.ts'
import { styleFor } from '../terminal.ts'
import { printable } from '../text.ts'
import { type Bold, oldFile, oldLibrarian, oldStore, oldTable, oldTime } from './format.ts'
import { removedText } from './removed.ts'

type OldAction<Flags> = (operands: string[], flags: Flags, context: Context) => Promise<number>

export interface WindowFlags {
  readonly createTimeStart?: string
  readonly createTimeEnd?: string
}

/** Without a day's end: a day was its first instant. */
async function windowFrom({ createTimeStart, createTimeEnd }: WindowFlags) {
  const { parseTime, windowOf } = await loadClient()
  const parse = (text: string | undefined) => (text === undefined ? undefined : parseTime(text, { now: Date.now() }))
  return windowOf({ since: parse(createTimeStart), until: parse(createTimeEnd) })
}

function connected(operands: readonly string[], context: Context, use: (librarian: Librarian) => Promise<number>) {
  return withLibrarian({ librarian: operands[0] ?? '' }, context, use)
}

function boldOn({ terminal }: Context): Bold {
  return styleFor(terminal.stdout, terminal.env).bold
}

function die(message: string): never {
  throw new ProgramError('Failed', message, { exitCode: exitCodes.someFailed })
}

/** Fails as the class of old would. */
export function removedAction(what: string, hint: string): OldAction<unknown> {
  return async (_operands, _flags, { terminal }) => {
    terminal.stderr.write(`${removedText(what, hint)}\n`)
    return exitCodes.someFailed
  }
}

interface UploadFlags {
  readonly meta?: string
  readonly nullObsid?: boolean
  readonly deletion?: string
}

export const upload: OldAction<UploadFlags> = async (operands, flags, context) => {
  const [connection = '', path = '', name = ''] = operands
  if (isAbsolute(name)) die(`destination path must be relative to store top; got ${name}`)
  if (flags.meta === 'json-stdin')
    return removedAction('upload --meta json-stdin', 'There is no metadata in JSON.')([], {}, context)
  if (flags.meta !== undefined && flags.meta !== 'infer') die(`unexpected metadata-gathering method ${flags.meta}`)
  return withLibrarian(
    { librarian: connection },
    context,
    async (librarian, door) => {
      const run = door.uploadAll(librarian, [{ path, name }], {
        deletion: flags.deletion?.toLowerCase() === 'allowed' ? 'ALLOWED' : 'DISALLOWED',
        records: door.createResumeRecords(door.uploadStateDirectory(context.terminal.env)),
        signal: context.signal,
      })
      for await (const outcome of run) {
        if (!outcome.ok) throw outcome.error
        // The older one failed here, and a script may count on hearing of it.
        if (outcome.uploaded.status === 'present')
          die(`Upload failed: ${name} exists on librarian, with the same content`)
      }
      return exitCodes.ok
    },
    { retries: patientRetries },
  )
}

interface SearchFlags extends WindowFlags {
  readonly name?: string
  readonly uploader?: string
  readonly source?: string
  readonly maxResults?: number
  readonly search?: string
}

export const searchFiles: OldAction<SearchFlags> = async (operands, flags, context) => {
  if (flags.search !== undefined)
    return removedAction('search-files --search', 'See --help for the other conditions.')([], {}, context)
  const create_time_window = await windowFrom(flags)
  const { name, uploader, source, maxResults = 64 } = flags
  return connected(operands, context, async ({ api }) => {
    const request = { name, create_time_window, uploader, source, max_results: maxResults }
    const found: FoundFile[] = await api.search.file(request, { signal: context.signal })
    if (found.length === 0) printLine(context, 'No results found.')
    for (const file of found) for (const line of oldFile(file, boldOn(context))) printLine(context, line)
    return exitCodes.ok
  })
}

interface ErrorFlags extends WindowFlags {
  readonly id?: number
  readonly category?: Category
  readonly severity?: Severity
  readonly includeResolved?: boolean
  readonly maxResults?: number
}

export const searchErrors: OldAction<ErrorFlags> = async (operands, flags, context) => {
  const { id, category, severity, includeResolved = false, maxResults = 64 } = flags
  const create_time_window = await windowFrom(flags)
  return connected(operands, context, async ({ api }) => {
    const found = await api.search.error(
      { id, category, severity, create_time_window, include_resolved: includeResolved, max_results: maxResults },
      { signal: context.signal },
    )
    if (found.length === 0) {
      printLine(context, 'No errors found.')
      return exitCodes.ok
    }
    // The last two but one are the wrong way round, and always were.
    const headings = ['ID', 'Severity', 'Category', 'Message', 'Raised', 'Cleared', 'Cleared Time', 'Caller']
    const rows = found.map(each => [
      each.id,
      each.severity,
      each.category,
      each.message,
      oldTime(each.raised_time),
      oldTime(each.cleared_time),
      each.cleared,
      each.caller,
    ])
    for (const line of oldTable(headings, rows)) printLine(context, line)
    return exitCodes.ok
  })
}

export const clearError: OldAction<unknown> = (operands, _, context) =>
  connected(operands, context, async ({ api }) => {
    const id = Number(operands[1])
    if (!Number.isSafeInteger(id)) die(`invalid int value: '${operands[1]}'`)
    await api.error.clear({ id }, { signal: context.signal })
    return exitCodes.ok
  })

export const storeList: OldAction<unknown> = (operands, _, context) =>
  connected(operands, context, async ({ api }) => {
    const stores = await api.admin.storesList({}, { signal: context.signal })
    if (stores.length === 0) printLine(context, 'No stores found.')
    for (const store of stores) printLine(context, oldStore(store, boldOn(context)))
    return exitCodes.ok
  })

interface StoreFlags {
  readonly store?: string
  readonly enabled?: boolean
  readonly disabled?: boolean
}

export const storeState: OldAction<StoreFlags> = (
  operands,
  { store = '', enabled = false, disabled = false },
  context,
) =>
  connected(operands, context, async ({ api }) => {
    const request = { store_name: store, enabled: enabled && !disabled }
    const changed = await api.admin.storesStateChange(request, { signal: context.signal })
    printLine(context, `Store ${printable(store)} state set to ${changed.enabled ? 'enabled' : 'disabled'}.`)
    return exitCodes.ok
  })

interface ManifestFlags {
  readonly store?: string
  readonly destinationLibrarian?: string
  readonly disableStore?: boolean
  readonly markInstancesAsUnavailable?: boolean
  readonly output?: string
}

export const storeManifest: OldAction<ManifestFlags> = (operands, flags, context) =>
  connected(operands, context, async ({ api }) => {
    const { destinationLibrarian } = flags
    const answer = await api.admin.storesManifest(
      {
        store_name: flags.store ?? '',
        create_outgoing_transfers: destinationLibrarian !== undefined,
        destination_librarian: destinationLibrarian ?? '',
        disable_store: flags.disableStore ?? false,
        mark_local_instances_as_unavailable: flags.markInstancesAsUnavailable ?? false,
      },
      { signal: context.signal },
    )
    const text = JSON.stringify(answer, undefined, 2)
    if (flags.output === undefined) printLine(context, text)
    else await (await import('node:fs/promises')).writeFile(flags.output, text)
    return exitCodes.ok
  })

interface IngestFlags {
  readonly manifest?: string
  readonly storeRoot?: string
}

export const ingestManifest: OldAction<IngestFlags> = async (
  operands,
  { manifest: path = '', storeRoot = '.' },
  context,
) => {
  const door = await loadClient()
  const manifest = await door.readCarriedManifest(path)
  return connected(operands, context, async librarian => {
    let present = 0
    let staged = 0
    const options = {
      root: storeRoot,
      records: door.createResumeRecords(door.uploadStateDirectory(context.terminal.env)),
      signal: context.signal,
    }
    for await (const outcome of door.ingestCarried(librarian, manifest, options)) {
      if (!outcome.ok) die(`Error ingesting ${outcome.entry.name}: ${toLine(tell(outcome.error))}`)
      if (outcome.status === 'present') present++
      else staged++
    }
    const total = manifest.store_files.length
    printLine(context, `Successfully ingested ${staged}/${total} files, ${present}/${total} already existed.`)
    return exitCodes.ok
  })
}

export const librarianList: OldAction<{ readonly ping?: boolean }> = (operands, { ping = false }, context) =>
  connected(operands, context, async ({ api }) => {
    const { librarians } = await api.admin.librariansList({ ping }, { signal: context.signal })
    if (librarians.length === 0) printLine(context, 'No librarians found.')
    for (const each of librarians) printLine(context, oldLibrarian(each, boldOn(context)))
    return exitCodes.ok
  })

interface AddLibrarianFlags {
  readonly name: string
  readonly url: string
  readonly port: number
  readonly authenticator: string
  readonly doNotCheckConnection?: boolean
}

export const addLibrarian: OldAction<AddLibrarianFlags> = (operands, flags, context) =>
  connected(operands, context, async ({ api }) => {
    const { name, url, port, authenticator, doNotCheckConnection = false } = flags
    const request = { librarian_name: name, url, port, authenticator, check_connection: !doNotCheckConnection }
    const answer = await api.admin.librariansAdd(request, { signal: context.signal })
    if (answer.already_exists) die(`Unable to add librarian ${name}: it is known already.`)
    if (!answer.success) die(`Unable to add librarian ${name}: it did not answer.`)
    printLine(context, `Librarian ${printable(name)} added.`)
    return exitCodes.ok
  })

interface RemoveLibrarianFlags {
  readonly name: string
  readonly removeOutgoingTransfers?: boolean
}

export const removeLibrarian: OldAction<RemoveLibrarianFlags> = (operands, flags, context) =>
  connected(operands, context, async ({ api }) => {
    const { name, removeOutgoingTransfers = false } = flags
    const request = { librarian_name: name, remove_outgoing_transfers: removeOutgoingTransfers }
    const answer = await api.admin.librariansRemove(request, { signal: context.signal })
    const n = answer.number_of_transfers_removed
    if (n > 0) printLine(context, `Removed ${n} outgoing transfers to ${printable(name)}.`)
    if (answer.success) printLine(context, `Librarian ${printable(name)} removed.`)
    return exitCodes.ok
  })

interface TransferFlags {
  readonly name: string
  readonly enabled?: boolean
  readonly disabled?: boolean
}

export const librarianTransfer: OldAction<TransferFlags> = (operands, { name, enabled, disabled }, context) => {
  if (enabled && disabled) die('Cannot set both enabled and disabled.')
  if (!enabled && !disabled) die('You must choose to enable or disable the transfers.')
  return connected(operands, context, async ({ api }) => {
    const request = { librarian_name: name, transfers_enabled: enabled === true }
    await api.admin.transferStatusChange(request, { signal: context.signal })
    return exitCodes.ok
  })
}

interface CreateUserFlags extends PasswordFlags {
  readonly username: string
  readonly password?: string
  readonly authLevel: string
}

export const createUser: OldAction<CreateUserFlags> = async (operands, flags, context) => {
  const { username, authLevel } = flags
  const password = flags.password ?? (await readPassword(flags, `Password of ${printable(username)}: `, context))
  return connected(operands, context, async ({ api }) => {
    const request = { username, password, permission: levelNumber(authLevel) }
    await api.users.create(request, { signal: context.signal })
    return exitCodes.ok
  })
}

export const deleteUser: OldAction<{ readonly username: string }> = (operands, { username }, context) =>
  connected(operands, context, async ({ api }) => {
    await api.users.delete({ username }, { signal: context.signal })
    return exitCodes.ok
  })

export const validateFile: OldAction<unknown> = (operands, _, context) =>
  connected(operands, context, async ({ api }) => {
    const copies = await api.validate.file({ file_name: operands[1] ?? '' }, { signal: context.signal })
    printLine(context, `Found ${copies.length} instances of files in the librarian network.`)
    const headings = copies.length > 0 ? ['Checksum Match', 'Current Checksum', 'Librarian', 'Original Checksum'] : []
    const rows = copies.map(each => [
      each.computed_same_checksum,
      each.current_checksum,
      each.librarian,
      each.original_checksum,
    ])
    for (const line of oldTable(headings, rows)) printLine(context, line)
    return exitCodes.ok
  })

/** `host:path` of each copy, as scp takes it. */
export const locateFile: OldAction<unknown> = (operands, _, context) =>
  connected(operands, context, async ({ api, connection }) => {
    const name = operands[1] ?? ''
    const [file] = await api.search.file({ name }, { signal: context.signal })
    if (!file) die(`No such file: ${name}`)
    const { hostname } = new URL(connection.url)
    for (const { path, available } of file.instances)
      if (available) printLine(context, printable(`${hostname}:${path}`))
    return exitCodes.ok
  })

export const checkConnections: OldAction<unknown> = async (_operands, _flags, context) => {
  const door = await loadClient()
  const { env } = context.terminal
  let code: number = exitCodes.ok
  for (const name of Object.keys((await door.readSettings(env)).connections)) {
    let url = ''
    try {
      const { timeoutMs: _, warnings: __, ...connection } = await door.findConnection(name, env)
      url = connection.url
      const librarian = door.openLibrarian(connection, { retries: 0 })
      try {
        await librarian.api.ping.any({}, { signal: context.signal })
      } finally {
        librarian.close()
      }
      printLine(context, `Connection to ${printable(name)} (${url}) succeeded.`)
    } catch (error) {
      context.signal.throwIfAborted()
      code = exitCodes.someFailed
      const why = toLine(tell(url === '' ? error : door.explained(error, url)))
      printLine(context, `Connection to ${printable(name)} (${url}) failed: ${why}`)
    }
  }
  return code
}
