import { type Command, Option } from 'commander'
import type { Context } from '../context.ts'
import { exitCodes } from '../exit-codes.ts'
import { valued } from '../options/fetch.ts'
import { parsePort } from '../options/port.ts'
import type { ServeFlags } from '../serve/run-serve.ts'
import type { Run } from './define.ts'

export function define(command: Command, run: Run): void {
  command
    .addOption(new Option('--config <FILE>', 'settings: arriero.yaml, or the JSON of an existing server'))
    .addOption(new Option('--data <DIR>', 'where everything is kept (default: ./arriero-data, without other settings)'))
    .addOption(new Option('--host <ADDRESS>', 'address to listen on'))
    .addOption(valued('--port <N>', 'port to listen on; 0: any free one', parsePort))
    .addOption(
      new Option('--role <ROLE>', 'api: answer calls; worker: background work; all: both').choices([
        'api',
        'worker',
        'all',
      ]),
    )
    .addOption(new Option('--admin <USER>', 'name of the first administrator').default('admin'))
    .addOption(new Option('--admin-password-file <FILE>', 'its password (default: one is made and shown once)'))
    .addOption(new Option('--reset-admin', 'give the user of --admin a new password and the highest level'))
    .addOption(new Option('--migrate-stores', 'take over what the settings say of stores that are known already'))
    .addOption(
      new Option('--backup-made', 'PostgreSQL: there is a backup, so that a new release may change the schema'),
    )
    .addOption(
      new Option('--rebuild', 'fill an empty catalogue from what the stores know, then end').conflicts([
        'restore',
        'replay',
      ]),
    )
    .addOption(
      new Option(
        '--import <FROM>',
        'fill a new catalogue from that of a Python librarian, then end: its settings file, sqlite:PATH, or postgres://…',
      ).conflicts(['rebuild', 'restore', 'replay']),
    )
    .addOption(
      new Option('--drop-open-transfers', 'with --import: give up what is under way there; its senders send again'),
    )
    .addOption(
      new Option(
        '--directories <KIND>',
        'with --rebuild, a directory that no store knows: files of its own, or one tree',
      )
        .choices(['none', 'leaf'])
        .default('none'),
    )
    .addOption(new Option('--restore <FILE>', 'put a backup of the catalogue back (newest: the newest), then end'))
    .addOption(new Option('--replay', 'bring a catalogue that was restored up to what the stores know, then end'))
    .addOption(
      new Option(
        '--take-over-stores',
        'with --restore or --replay: stores that belong to another catalogue become this one’s',
      ),
    )
    .addOption(
      new Option(
        '--replace-disk <STORE>',
        'the disk of this store is lost, and an empty one in its place: note that its copies are missing, then end',
      ).conflicts(['rebuild', 'import', 'restore', 'replay', 'once']),
    )
    .addOption(
      new Option('--once', 'run every recurring task once, then end').conflicts(['rebuild', 'restore', 'replay']),
    )
    .addOption(
      new Option(
        '--prepare',
        'make the catalogue or bring its schema up to date, the stores, the first administrator; then end',
      ).conflicts(['rebuild', 'import', 'restore', 'replay', 'once', 'replaceDisk']),
    )
    .addHelpText(
      'after',
      `
Examples:
  arriero serve
  arriero serve --data /srv/librarian --port 21108
  arriero serve --config /etc/arriero/arriero.yaml --role api
  arriero serve --config /etc/arriero/arriero.yaml --prepare --backup-made
  LIBRARIAN_CONFIG_PATH=librarian.json arriero serve
  arriero serve --reset-admin
  arriero serve --config arriero.yaml --rebuild --directories leaf
  arriero serve --config arriero.yaml --restore newest --reset-admin
  arriero serve --config arriero.yaml --once
  arriero serve --config arriero.yaml --import /etc/librarian/server.json

Without settings it makes a data directory with a catalogue, a store and
settings to edit, and listens on this machine only. Ctrl-C or SIGTERM stops it:
calls under way get time to end, what they leave is resumed.`,
    )
  command.action(run(serve))
}

async function serve(_operands: string[], flags: ServeFlags, context: Context): Promise<number> {
  const { runServe } = await import('../serve/run-serve.ts')
  return (await runServe(flags, context)) ? exitCodes.ok : exitCodes.someFailed
}
