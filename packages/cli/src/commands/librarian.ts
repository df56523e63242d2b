/**
 * The commands of the older client by their own names, options and output (librarian 14.2), also as the program `librarian`.
 * Errors are told as it told them.
 */
import { type Command, Option } from 'commander'
import type { Context } from '../context.ts'
import { tell, toLine } from '../errors.ts'
import { exitCodes } from '../exit-codes.ts'
import { categories, severities } from '../librarian/error-kinds.ts'
import { levelNames } from '../librarian/levels.ts'
import { passwordOptions } from '../librarian/read-password.ts'
import { removed } from '../old-librarian/removed.ts'
import { valued } from '../options/fetch.ts'
import { parseCount } from '../units.ts'
import type { Run } from './define.ts'

type Actions = typeof import('../old-librarian/actions.ts')

export function define(command: Command, run: Run): void {
  command.configureHelp({ ...command.configureHelp(), subcommandTerm: each => each.name() })
  const add = (name: string, summary: string, operands = '') => {
    const text = ['CONNECTION-NAME', ...(operands === '' ? [] : [operands])].map(
      each => `<${each.split(' ').join('> <')}>`,
    )
    return command.command(`${name} ${text.join(' ')}`).description(summary)
  }
  defineFiles(add, run)
  defineStores(add, run)
  defineLibrarians(add, run)
  defineUsers(add, run)
  command
    .command('check-connections')
    .description('ask every librarian in the settings whether it is there')
    .action(run(by('checkConnections')))
  for (const [name, hint] of Object.entries(removed)) {
    const gone = async (_: string[], flags: unknown, context: Context) => {
      const { removedAction } = await import('../old-librarian/actions.ts')
      return removedAction(name, hint)([], flags, context)
    }
    command
      .command(`${name} [arguments...]`, { hidden: true })
      .description(`gone: ${hint}`)
      .allowUnknownOption()
      .action(run(gone))
  }
  command.addHelpText(
    'after',
    `
Examples:
  librarian upload site ocean.nc 2026/ocean.nc
  librarian search-files site --name 2026/ocean.nc
  librarian check-connections

CONNECTION-NAME is a key of "connections" in the client settings. The manual
page of the librarian has the newer command for each of these.`,
  )
}

type Add = (name: string, summary: string, operands?: string) => Command

function defineFiles(add: Add, run: Run): void {
  add('upload', 'upload a file or a tree', 'LOCAL-PATH DEST-PATH')
    .addOption(new Option('--meta <METHOD>', 'infer'))
    .addOption(new Option('--null-obsid', 'without effect'))
    .addOption(new Option('--deletion <POLICY>', 'allowed or disallowed (default: disallowed)'))
    .addOption(new Option('--pre-staged <PLACE>').hideHelp())
    .addOption(new Option('--use_globus').hideHelp())
    .addOption(new Option('--client_id <ID>').hideHelp())
    .addOption(new Option('--transfer_token <TOKEN>').hideHelp())
    .addOption(new Option('--source_endpoint_id <ID>').hideHelp())
    .action(run(by('upload')))
  withWindow(
    add('search-files', 'find files')
      .addOption(new Option('-n, --name <NAME>', 'with exactly this name'))
      .addOption(new Option('-u, --uploader <USER>', 'by this uploader'))
      .addOption(new Option('-s, --source <NAME>', 'from this source'))
      .addOption(new Option('--search <JSON>').hideHelp()),
  ).action(run(by('searchFiles')))
  withWindow(
    add('search-errors', 'find errors')
      .addOption(valued('--id <N>', 'with this number', parseCount))
      .addOption(new Option('-c, --category <KIND>', 'of what').choices(categories))
      .addOption(new Option('-s, --severity <KIND>', 'how bad').choices(severities))
      .addOption(new Option('--include-resolved', 'those that were cleared, too')),
  ).action(run(by('searchErrors')))
  add('clear-error', 'mark an error as dealt with', 'ERROR-ID').action(run(by('clearError')))
  add('validate-file', 'have every copy read and compared', 'FILE-NAME').action(run(by('validateFile')))
  add('locate-file', 'print host and path of each copy', 'PATH').action(run(by('locateFile')))
}

function withWindow(command: Command): Command {
  return command
    .addOption(new Option('--create-time-start <TIME>', 'at this time or later (UTC)'))
    .addOption(new Option('--create-time-end <TIME>', 'at this time or earlier (UTC)'))
    .addOption(valued('--max-results <N>', 'most results (default: 64)', parseCount))
}

function defineStores(add: Add, run: Run): void {
  add('get-store-list', 'list the stores').action(run(by('storeList')))
  add('set-store-state', 'switch a store on or off')
    .addOption(new Option('--store <NAME>', 'which store'))
    .addOption(new Option('--enabled', 'on'))
    .addOption(new Option('--disabled', 'off'))
    .action(run(by('storeState')))
  add('get-store-manifest', 'list what is on a store')
    .addOption(new Option('--store <NAME>', 'which store'))
    .addOption(new Option('--destination-librarian <NAME>', 'whither it is carried'))
    .addOption(new Option('--disable-store', 'take nothing more onto it'))
    .addOption(new Option('--mark-instances-as-unavailable', 'its copies are on their way'))
    .addOption(new Option('--output <FILE>', 'write it here (default: stdout)'))
    .action(run(by('storeManifest')))
  add('ingest-manifest', 'take what is on a carried disk')
    .addOption(new Option('--manifest <FILE>', 'what get-store-manifest wrote').makeOptionMandatory())
    .addOption(new Option('--store-root <DIR>', 'where its files are').makeOptionMandatory())
    .action(run(by('ingestManifest')))
}

function defineLibrarians(add: Add, run: Run): void {
  const name = () => new Option('--name <NAME>', 'which librarian').makeOptionMandatory()
  add('get-librarian-list', 'list the other librarians')
    .addOption(new Option('--ping', 'ask them whether they are there'))
    .action(run(by('librarianList')))
  add('add-librarian', 'make another librarian known')
    .addOption(name())
    .addOption(new Option('--url <URL>', 'scheme and host').makeOptionMandatory())
    .addOption(valued('--port <N>', 'port', parseCount).makeOptionMandatory())
    .addOption(new Option('--authenticator <USER:PASSWORD>', 'our account there').makeOptionMandatory())
    .addOption(new Option('--do-not-check-connection', 'do not ask it whether it is there'))
    .action(run(by('addLibrarian')))
  add('remove-librarian', 'forget another librarian')
    .addOption(name())
    .addOption(new Option('--remove-outgoing-transfers', 'end what is on its way there'))
    .action(run(by('removeLibrarian')))
  add('set-librarian-transfer', 'pause or resume sending to a librarian')
    .addOption(name())
    .addOption(new Option('--enabled', 'resume'))
    .addOption(new Option('--disabled', 'pause'))
    .action(run(by('librarianTransfer')))
}

function defineUsers(add: Add, run: Run): void {
  const user = () => new Option('--username <USER>', 'which user').makeOptionMandatory()
  const create = add('create-user', 'add a user')
    .addOption(user())
    .addOption(new Option('--password <PASSWORD>', 'seen by all who may list processes; better asked for'))
    .addOption(new Option('--auth-level <LEVEL>', 'what the user may do').choices(levelNames).makeOptionMandatory())
  for (const option of passwordOptions('the password')) create.addOption(option)
  create.action(run(by('createUser')))
  add('delete-user', 'remove a user')
    .addOption(user())
    .action(run(by('deleteUser')))
}

/** Loads the actions when one of them is called; a failure is `error: …` and 1, whatever it was. */
function by(name: Exclude<keyof Actions, 'removedAction'>) {
  return async (operands: string[], flags: unknown, context: Context): Promise<number> => {
    try {
      const actions = await import('../old-librarian/actions.ts')
      return await actions[name](operands, flags as never, context)
    } catch (error) {
      context.signal.throwIfAborted()
      context.terminal.stderr.write(`error: ${toLine(tell(error))}\n`)
      return exitCodes.someFailed
    }
  }
}
