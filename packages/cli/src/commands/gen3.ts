/**
 * The commands and flags that users of Gen3's own tools know (gen3 13): those of the Python SDK, of gen3-client and of the
 * asynchronous client that was never merged. All of them are `get` by another name.
 */
import { type Command, Option } from 'commander'
import type { Context } from '../context.ts'
import { ProgramError } from '../errors.ts'
import { profileCredentials } from '../gen3/profile.ts'
import type { ListRequest } from '../get/entries.ts'
import { asUri, hasScheme } from '../get/request.ts'
import { addCommonsOptions } from '../options/commons.ts'
import { addAnswerOptions, addNetworkOptions, addSpeedOptions, collect, valued } from '../options/fetch.ts'
import type { GetFlags } from '../options/file.ts'
import { addLogOptions } from '../options/log.ts'
import { addProfileOptions } from '../profile/with-profile.ts'
import { progressModes } from '../progress/with-progress.ts'
import { parseCount } from '../units.ts'
import type { Run } from './define.ts'
import { pathOf } from './path.ts'

interface Gen3Flags extends Omit<GetFlags, 'progress'> {
  readonly profileFile?: string
  readonly path?: string
  readonly downloadPath?: string
  readonly outputDir?: string
  readonly auth?: readonly string[]
  readonly profile?: string
  readonly semaphores?: number
  readonly numparallel?: number
  readonly maxConcurrentRequests?: number
  readonly filenameFormat?: string
  readonly skipCompleted?: string | boolean
  readonly rename?: boolean
  readonly guid?: string
  readonly progress?: (typeof progressModes)[number] | false
}

export function define(command: Command, run: Run): void {
  // With all options beside the name, no room would be left for what it does.
  command.configureHelp({ ...command.configureHelp(), subcommandTerm: each => each.name() })
  const list = run(downloadManifest)
  const objects = run(downloadSingle)
  listCommand(command, 'download-manifest <manifest>').action(list)
  listCommand(command, 'download-multiple', 'the same, by the name of gen3-client').action(list)
  singleCommand(command, 'download-single [id]').action(objects)
  const file = command.command('file').description('download-manifest and download-single, as in the SDK')
  listCommand(file, 'download-manifest <manifest>').action(list)
  singleCommand(file, 'download-single [id]').action(objects)
  const pull = command.command('drs-pull').description('manifest, object and objects, as in the SDK')
  listCommand(pull, 'manifest <manifest> [directory]').action(list)
  singleCommand(pull, 'object [id]').action(objects)
  singleCommand(pull, 'objects <id...>').action(objects)
  command.addHelpText(
    'after',
    `
Examples:
  arriero gen3 download-manifest list.json --cred credentials.json --path data
  arriero gen3 download-single dg.4503/c5956122-… --cred credentials.json
  arriero gen3 download-manifest list.json --path data --semaphores 20 --dry-run

Each has a --help of its own. Get credentials.json on the profile page of your
commons; ~/.gen3/credentials.json is found by itself.

A file has its name only when it is complete, verified and on the disk. What
became of each row is in PATH/.transfer/; the rows that failed are in
PATH/.transfer/failed-manifest.json. The same command again continues.`,
  )
}

/** @param call name and operands */
function listCommand(parent: Command, call: string, summary = 'fetch what a manifest lists'): Command {
  const command = parent.command(call).description(summary)
  const isOperand = command.registeredArguments.length > 0
  if (!isOperand) {
    command.usage('--manifest <FILE> [options]')
    command.addOption(new Option('--manifest <FILE>', 'the manifest: JSON, CSV, TSV, … ; - is stdin'))
  }
  command
    .addOption(new Option('--skip-invalid', 'fetch the others when rows cannot be used'))
    .addOption(new Option('--dry-run', 'show what would be fetched, and fetch nothing'))
  return withExamples(shared(command), isOperand ? 'list.json' : '--manifest list.json')
}

/** @param call name and operands */
function singleCommand(parent: Command, call: string): Command {
  const command = parent.command(call).description('fetch objects by GUID or DRS URI; a bundle becomes a directory')
  // Whoever says --guid, as in gen3-client, gives no operand.
  if (call.endsWith('[id]')) command.usage('<id> [options]').addOption(new Option('--guid <ID>', 'the same').hideHelp())
  return withExamples(shared(command), 'dg.4503/c5956122-…')
}

const OPERANDS: Readonly<Record<string, string>> = {
  manifest: 'JSON, CSV, TSV, … ; - is stdin',
  directory: 'for the files',
  id: 'GUID or DRS URI',
}

function withExamples(command: Command, operands: string): Command {
  for (const argument of command.registeredArguments) argument.description = OPERANDS[argument.name()] ?? ''
  const call = `${pathOf(command)} ${operands}`
  const examples = ['--cred credentials.json', '--path data'].map(flags => `  ${call} ${flags}`)
  return command.addHelpText('after', `\nExamples:\n${examples.join('\n')}`)
}

/** What every one of them takes. */
function shared(command: Command): Command {
  command
    .addOption(new Option('--path <DIR>', 'directory for the files (default: .)'))
    .addOption(new Option('--download-path <DIR>', 'the same, as gen3-client has it'))
    .addOption(new Option('--output-dir <DIR>', 'the same, as drs-pull has it'))
    .addOption(valued('--semaphores <N>', 'files at once (default: chosen on the way)', parseCount))
    .addOption(valued('--numparallel <N>', 'the same', parseCount).hideHelp())
    .addOption(valued('--max-concurrent-requests <N>', 'the same', parseCount).hideHelp())
    .addOption(
      new Option('--filename-format <FORMAT>', 'original, guid, combined, tree or a template (default: original)'),
    )
    .addOption(
      new Option('--skip-completed [BOOL]', 'keep what is there and right (default: true)').choices(['true', 'false']),
    )
    .addOption(new Option('--on-conflict <WHAT>', 'when two rows have one name (default: rename)').choices(CONFLICTS))
    .addOption(new Option('--unsafe-names <WHAT>', 'names with .. and the like (default: reject)').choices(UNSAFE))
    .addOption(new Option('--report <FILE>', 'write what became of each file here, too'))
    .addOption(new Option('--require-checksum', 'fail where nothing but the size could be checked'))
    .addOption(
      new Option('--progress <KIND>', 'bar on a terminal, else plain lines; json and none').choices(progressModes),
    )
    .addOption(new Option('--no-progress', 'no progress'))
    // Accepted and without effect: names are always planned, and nobody is ever asked.
    .addOption(new Option('--rename [BOOL]').hideHelp())
    .addOption(new Option('--no-prompt').hideHelp())
    .addOption(new Option('--num-processes <N>').hideHelp())
    .addOption(new Option('--queue-size <N>').hideHelp())
    .addOption(new Option('--no-unpack-packages').hideHelp())
  // --profile is a profile of gen3-client here.
  addProfileOptions(command, '--profile-file')
  addCommonsOptions(addLogOptions(command))
    .addOption(new Option('--auth <FILE>', '--cred, as the SDK has it').argParser(collect).hideHelp())
    .addOption(new Option('--profile <NAME>', 'a profile of gen3-client, from ~/.gen3/gen3_client_config.ini'))
    .addOption(new Option('--endpoint <HOST>', '--commons-url, as the SDK has it').hideHelp())
  addSpeedOptions(command)
  addNetworkOptions(command)
  return addAnswerOptions(command.optionsGroup('Unusual answers:'))
}

const CONFLICTS = ['rename', 'skip', 'overwrite', 'error']
const UNSAFE = ['reject', 'rewrite']

async function downloadManifest(operands: string[], flags: Gen3Flags, context: Context): Promise<number> {
  const file = operands[0] ?? flags.manifest
  if (file === undefined) throw new ProgramError('Usage', 'No manifest given.')
  const request = { kind: 'manifest', file, directory: directoryOf(flags, operands[1]) } as const
  const asGet = getFlags(flags, context)
  if (flags.dryRun) return (await import('../get/dry-run.ts')).showPlan(request, asGet, context)
  return fetch(request, asGet, context)
}

async function downloadSingle(operands: string[], flags: Gen3Flags, context: Context): Promise<number> {
  const ids = flags.guid === undefined ? operands : [...operands, flags.guid]
  if (ids.length === 0) throw new ProgramError('Usage', 'No object given.')
  const urls = ids.map(asObject)
  const asGet = getFlags(flags, context)
  const directory = directoryOf(flags, undefined)
  if (urls.length > 1) return fetch({ kind: 'several', urls, directory }, asGet, context)
  const { getOne } = await import('../get/one.ts')
  try {
    return await getOne({ url: urls[0] as string, target: `${directory}/` }, asGet, context)
  } catch (error) {
    if ((error as { details?: { reason?: string } }).details?.reason !== 'bundle') throw error
    return fetch({ kind: 'several', urls, directory }, asGet, context)
  }
}

async function fetch(request: ListRequest, flags: GetFlags, context: Context): Promise<number> {
  return (await import('../get/many.ts')).getMany(request, flags, context, { isCommons: true })
}

/** A word without a scheme is a GUID, whatever its shape. */
function asObject(id: string): string {
  const uri = asUri(id)
  return hasScheme(uri) || /^dos:/i.test(uri) ? uri : `drs:${uri}`
}

function directoryOf(flags: Gen3Flags, operand: string | undefined): string {
  return operand ?? flags.path ?? flags.downloadPath ?? flags.outputDir ?? '.'
}

/** The same wishes in the words of `get`. */
function getFlags(flags: Gen3Flags, context: Context): GetFlags {
  const { semaphores, numparallel, maxConcurrentRequests, filenameFormat, skipCompleted, auth, endpoint, profile } =
    flags
  const { progress, profileFile, ...rest } = flags
  const fromProfile = profile === undefined ? [] : [profileCredentials(profile, context.terminal.env)]
  const cred = [...(flags.cred ?? []), ...(auth ?? []), ...fromProfile]
  return {
    ...rest,
    cred: cred.length > 0 ? cred : undefined,
    commonsUrl: flags.commonsUrl ?? endpoint,
    endpoint: undefined,
    concurrency: semaphores ?? numparallel ?? maxConcurrentRequests,
    layout: filenameFormat,
    ifExists: skipCompleted === 'false' ? 'overwrite' : 'repair',
    progress: progress === false ? 'none' : progress,
    profile: profileFile,
  } as GetFlags
}
