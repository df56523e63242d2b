import { type Command, Option } from 'commander'
import { type Context, printJson } from '../context.ts'
import { ProgramError } from '../errors.ts'
import { exitCodes } from '../exit-codes.ts'
import { type LibrarianFlags, librarianOption, withLibrarian } from '../librarian/client.ts'
import { shownTime, showTable } from '../librarian/show-table.ts'
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
  addTimeOptions(command, 'begun').addOption(valued('--limit <N>', 'most transfers (default: 64)', parseCount))
  command.addHelpText(
    'after',
    `
Examples:
  arriero transfers
  arriero transfers --status failed --since yesterday
  arriero transfers --json --limit 1000

What is, or was, on its way into the librarian, newest first. Those who are no
administrators see their own.`,
  )
  command.action(run(transfers))
}

function refuse(text: string): never {
  throw new ProgramError('Usage', `--status takes one of ${statusNames.join(', ').toLowerCase()}, not '${text}'.`)
}

async function transfers(_: string[], flags: TransfersFlags, context: Context): Promise<number> {
  const times = await timesFrom(flags)
  return withLibrarian(flags, context, async ({ api }, door) => {
    const rows: (string | number)[][] = []
    let left = flags.limit ?? 64
    for (let after: number | undefined; left > 0; ) {
      const page = await api.transfers.list(
        {
          statuses: flags.status?.flatMap(text => statusNumber(text) ?? []),
          uploader: flags.uploader,
          source: flags.source,
          destination_location: flags.name,
          start_time_window: door.windowOf(times),
          after,
          max_results: Math.min(left, 500),
        },
        { signal: context.signal },
      )
      for (const each of page.transfers) {
        if (context.flags.json) printJson(context, { ...each, status: statusName(each.status) })
        else rows.push(cellsOf(each, context.terminal.stdout.isTTY))
      }
      left -= page.transfers.length
      if (page.next === null || page.transfers.length === 0) break
      after = page.next
    }
    if (!context.flags.json) showTable(HEADINGS, rows, context)
    return exitCodes.ok
  })
}

const HEADINGS = ['Id', 'Status', 'Name', 'Size', 'Uploader', 'Begun (UTC)', 'Ended', 'Reason']

interface Transfer {
  readonly transfer_id: number
  readonly status: number
  readonly destination_location: string
  readonly transfer_size: number
  readonly uploader: string
  readonly start_time: string
  readonly end_time: string | null
  readonly reason: string | null
}

function cellsOf(each: Transfer, isForPeople: boolean): (string | number)[] {
  return [
    each.transfer_id,
    statusName(each.status),
    each.destination_location,
    isForPeople ? formatSize(each.transfer_size) : each.transfer_size,
    each.uploader,
    shownTime(each.start_time),
    shownTime(each.end_time),
    each.reason ?? '',
  ]
}
