import { type Command, Option } from 'commander'
import { type Context, printJson, warn } from '../context.ts'
import { ProgramError } from '../errors.ts'
import { exitCodes } from '../exit-codes.ts'
import {
  type ClientDoor,
  type Librarian,
  type LibrarianFlags,
  librarianOption,
  withLibrarian,
} from '../librarian/client.ts'
import { shownTime, showTable } from '../librarian/show-table.ts'
import { tellRefusals } from '../librarian/tell-refusals.ts'
import { addTimeOptions, type TimeFlags, timesFrom } from '../librarian/time-flags.ts'
import { statusName, statusNames, statusNumber } from '../librarian/transfer-status.ts'
import { collect } from '../options/collect.ts'
import { valued } from '../options/fetch.ts'
import { formatSize, parseCount } from '../units.ts'
import type { Run } from './define.ts'

interface TransfersFlags extends LibrarianFlags, TimeFlags {
  readonly status?: readonly string[]
  readonly uploader?: string
  readonly source?: string
  readonly name?: string
  readonly outgoing?: true
  readonly destination?: string
  readonly limit?: number
}

export function define(command: Command, run: Run): void {
  command
    .addOption(librarianOption())
    .addOption(
      new Option('--status <STATUS>', `${statusNames.join(', ').toLowerCase()}; repeatable`).argParser(
        (text, before: string[] | undefined) => collect(statusNumber(text) === undefined ? refuse(text) : text, before),
      ),
    )
    .addOption(new Option('--uploader <USER>', 'of this user'))
    .addOption(new Option('--source <NAME>', 'from this user or librarian'))
    .addOption(new Option('--name <NAME>', 'that will have this name'))
  command
    .addOption(new Option('--outgoing', 'what goes to other librarians instead').conflicts(['uploader', 'source']))
    .addOption(new Option('--destination <LIBRARIAN>', 'with --outgoing: to this librarian'))
  addTimeOptions(command, 'begun').addOption(valued('--limit <N>', 'most transfers (default: 64)', parseCount))
  command.addHelpText(
    'after',
    `
Examples:
  arriero transfers
  arriero transfers --status failed --since yesterday
  arriero transfers --json --limit 1000
  arriero transfers --outgoing --destination far --status failed

What is, or was, on its way into the librarian, newest first. Those who are no
administrators see their own. With --outgoing: what it sends to other
librarians; for administrators.`,
  )
  command.action(run(transfers))
}

function refuse(text: string): never {
  throw new ProgramError('Usage', `--status takes one of ${statusNames.join(', ').toLowerCase()}, not '${text}'.`)
}

async function transfers(_: string[], flags: TransfersFlags, context: Context): Promise<number> {
  if (flags.destination !== undefined && !flags.outgoing) {
    throw new ProgramError('Usage', '--destination needs --outgoing.')
  }
  const times = await timesFrom(flags)
  return withLibrarian(flags, context, async ({ api }, door) => {
    const window = door.windowOf(times)
    if (flags.outgoing) {
      await show(outgoing(api, flags, window, context.signal), outgoingTable, flags, context)
      const { librarians } = await api.admin.librariansList({ ping: false }, { signal: context.signal })
      const asked = librarians.filter(({ name }) => flags.destination === undefined || name === flags.destination)
      tellRefusals(asked, context)
    } else await show(incoming(api, flags, window, context.signal), incomingTable, flags, context)
    return exitCodes.ok
  })
}

type Api = Librarian['api']
type Window = ReturnType<ClientDoor['windowOf']>

interface Page<Transfer> {
  readonly transfers: readonly Transfer[]
  readonly next: number | null
}

/** Asks for a page behind `after`. */
type Ask<Transfer> = (after: number | undefined, most: number) => Promise<Page<Transfer>>

function incoming(api: Api, flags: TransfersFlags, window: Window, signal: AbortSignal): Ask<Incoming> {
  return (after, most) =>
    api.transfers.list(
      {
        statuses: flags.status?.flatMap(text => statusNumber(text) ?? []),
        uploader: flags.uploader,
        source: flags.source,
        destination_location: flags.name,
        start_time_window: window,
        after,
        max_results: most,
      },
      { signal },
    )
}

function outgoing(api: Api, flags: TransfersFlags, window: Window, signal: AbortSignal): Ask<Outgoing> {
  return (after, most) =>
    api.transfers.outgoing(
      {
        statuses: flags.status?.flatMap(text => statusNumber(text) ?? []),
        destination: flags.destination,
        file_name: flags.name,
        start_time_window: window,
        after,
        max_results: most,
      },
      { signal },
    )
}

interface Table<Transfer> {
  readonly headings: readonly string[]
  readonly cellsOf: (each: Transfer, isForPeople: boolean) => (string | number)[]
}

async function show<Transfer extends { readonly status: number }>(
  ask: Ask<Transfer>,
  { headings, cellsOf }: Table<Transfer>,
  { limit = 64 }: TransfersFlags,
  context: Context,
): Promise<void> {
  const rows: (string | number)[][] = []
  let left = limit
  for (let after: number | undefined; left > 0; ) {
    const page = await ask(after, Math.min(left, 500))
    for (const each of page.transfers) {
      if (context.flags.json) printJson(context, { ...each, status: statusName(each.status) })
      else rows.push(cellsOf(each, context.terminal.stdout.isTTY))
    }
    left -= page.transfers.length
    if (page.next === null || page.transfers.length === 0) break
    after = page.next
  }
  if (context.flags.json) return
  if (rows.length === 0) warn(context, 'no transfers found.')
  else showTable(headings, rows, context)
}

interface Transfer {
  readonly transfer_id: number
  readonly status: number
  readonly transfer_size: number
  readonly start_time: string
  readonly end_time: string | null
  readonly reason: string | null
}

interface Incoming extends Transfer {
  readonly destination_location: string
  readonly uploader: string
}

interface Outgoing extends Transfer {
  readonly file_name: string | null
  readonly destination: string
}

const incomingTable: Table<Incoming> = {
  headings: ['Id', 'Status', 'Name', 'Size', 'Uploader', 'Begun (UTC)', 'Ended', 'Reason'],
  cellsOf: (each, isForPeople) => cellsOf(each, each.destination_location, each.uploader, isForPeople),
}

const outgoingTable: Table<Outgoing> = {
  headings: ['Id', 'Status', 'Name', 'Size', 'To', 'Begun (UTC)', 'Ended', 'Reason'],
  cellsOf: (each, isForPeople) => cellsOf(each, each.file_name ?? '', each.destination, isForPeople),
}

function cellsOf(each: Transfer, name: string, who: string, isForPeople: boolean): (string | number)[] {
  return [
    each.transfer_id,
    statusName(each.status),
    name,
    isForPeople ? formatSize(each.transfer_size) : each.transfer_size,
    who,
    shownTime(each.start_time),
    shownTime(each.end_time),
    each.reason ?? '',
  ]
}
