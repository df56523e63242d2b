/** The one place that knows the client. It is loaded when a command needs it: `--help` and `completion` never do. */
import type { Librarian } from '@arriero/client'
import { Option } from 'commander'
import { type Context, warn } from '../context.ts'
import { collect } from '../options/collect.ts'
import { printable } from '../text.ts'

export type {
  CopyCount,
  Downloaded,
  FoundFile,
  Librarian,
  Listed,
  UploadOutcome,
  UploadRequest,
  Wanted,
} from '@arriero/client'

export type ClientDoor = typeof import('@arriero/client')

export interface LibrarianFlags {
  readonly librarian?: string
}

export interface LibrariansFlags {
  readonly librarian?: readonly string[]
}

export function librarianOption(): Option {
  return new Option('--librarian <NAME>', 'which one, as login named it (default: the only one, or $ARRIERO_LIBRARIAN)')
}

export function librariansOption(): Option {
  return librarianOption().argParser(collect)
}

export function loadClient(): Promise<ClientDoor> {
  return import('@arriero/client')
}

export interface WithLibrarianOptions {
  /** How often a call is repeated while the server is away. Default: for a person who waits, some seconds. */
  readonly retries?: number
}

/** Repetitions for work that should outlive a restart of the server, which may answer that it is busy for a while. */
export const patientRetries = 12

/** Of work that should outlive a restart; an address where nobody ever answered is more likely a wrong one. */
const patience = { firstMs: 10_000, laterMs: 120_000 }

/** Runs something with the librarian that the flags name, and closes it whatever happens. */
export function withLibrarian<Result>(
  { librarian }: LibrarianFlags,
  context: Context,
  use: (librarian: Librarian, door: ClientDoor) => Promise<Result>,
  options: WithLibrarianOptions = {},
): Promise<Result> {
  return withLibrarians(
    { librarian: librarian === undefined ? undefined : [librarian] },
    context,
    ([first], door) => use(first as Librarian, door),
    options,
  )
}

/** The same with several, in the order of the flags. */
export async function withLibrarians<Result>(
  { librarian: names }: { readonly librarian?: readonly string[] | undefined },
  context: Context,
  use: (librarians: readonly Librarian[], door: ClientDoor) => Promise<Result>,
  { retries }: WithLibrarianOptions = {},
): Promise<Result> {
  const door = await loadClient()
  const opened: Librarian[] = []
  try {
    for (const name of names ?? [undefined]) {
      const { warnings, timeoutMs, ...connection } = await door.findConnection(name, context.terminal.env)
      for (const warning of warnings) warn(context, printable(warning))
      opened.push(
        door.openLibrarian(connection, {
          timeoutMs,
          retries,
          patience: retries === undefined ? undefined : patience,
          onWait: (why, ms) => warn(context, `${printable(why)}; trying again in ${formatWait(ms)}`),
        }),
      )
    }
    return await use(opened, door)
  } catch (error) {
    throw opened.reduce((told, { connection }) => door.explained(told, connection.url), error)
  } finally {
    for (const librarian of opened) librarian.close()
  }
}

function formatWait(ms: number): string {
  return ms < 1000 ? 'a moment' : `${Math.round(ms / 1000)} s`
}
