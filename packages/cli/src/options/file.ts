/** Flags of `get`: what the file must be, and what is done with it. */
import { type Command, Option } from 'commander'
import type { DownloadManifestOptions, DownloadOptions, EngineDoor, IfExists } from '../engine.ts'
import { ProgramError } from '../errors.ts'
import { addProfileOptions, type ProfileFlags } from '../profile/with-profile.ts'
import { progressModes } from '../progress/with-progress.ts'
import { parseCount, parseSize } from '../units.ts'
import { addAccessOptions, addAnswerOptions, addSpeedOptions, collect, type FetchFlags, valued } from './fetch.ts'
import { addLogOptions } from './log.ts'

export interface ProofFlags {
  readonly checksum?: readonly string[]
  readonly checksumAlgorithm?: string
  readonly requireChecksum?: boolean
  readonly size?: number
}

export interface GetFlags extends FetchFlags, ProofFlags, ProfileFlags {
  readonly output?: string
  readonly filepath?: string
  readonly dir?: string
  readonly manifest?: string
  readonly input?: string
  readonly concurrency?: number
  readonly multipartThreshold?: number
  readonly continueAfterError?: boolean
  readonly stopOnError?: boolean
  readonly mirror?: readonly string[]
  readonly resume?: boolean
  readonly allowWeakResume?: boolean
  readonly ifExists?: IfExists
  readonly order?: 'size' | 'name' | 'manifest'
  readonly fsync?: boolean
  readonly preserveTime?: boolean
  readonly progress?: (typeof progressModes)[number]
  readonly dryRun?: boolean
  readonly probe?: boolean
  readonly report?: string
  readonly glob?: boolean
  readonly skipInvalid?: boolean
  readonly layout?: string
  readonly onConflict?: 'rename' | 'skip' | 'overwrite' | 'error'
  readonly unsafeNames?: 'reject' | 'rewrite'
  readonly portableNames?: boolean
}

export function addGetOptions(command: Command): void {
  command
    .optionsGroup('Where to:')
    .addOption(new Option('-o, --output <FILE>', 'file or directory; - writes the bytes to stdout, in order'))
    .addOption(new Option('-O, --filepath <FILE>', 'the same, by getm’s name'))
    .addOption(new Option('-d, --dir <DIR>', 'directory for the files'))
    .addOption(
      new Option('--if-exists <WHAT>', 'when the target exists (default: error)').choices([
        'error',
        'skip',
        'overwrite',
        'rename',
        'verify',
        'repair',
      ]),
    )
    .addOption(new Option('--resume', 'continue an interrupted download (default)').hideHelp())
    .addOption(new Option('--no-resume', 'start anew instead of continuing an interrupted download'))
    .addOption(
      new Option(
        '--allow-weak-resume',
        'continue also where only size and time tell the version, as with FTP and SFTP',
      ),
    )
    .addOption(new Option('--fsync', 'wait for the disk (default)').hideHelp())
    .addOption(new Option('--no-fsync', 'do not wait for the disk: faster, and lost in a power cut'))
    .addOption(new Option('--preserve-time', 'give the file the server’s modification time'))
  addProofOptions(command)
  command
    .addOption(new Option('--mirror <URL>', 'another place of the same bytes; repeatable').argParser(collect))
    .optionsGroup('Lists:')
    .addOption(new Option('-m, --manifest <FILE>', 'fetch a list: JSON, JSON lines, CSV, TSV, … ; - is stdin'))
    .addOption(new Option('-i, --input <FILE>', 'the same, by getm’s other name'))
    .addOption(new Option('--no-glob', 'take *, ? and [] in a URL, and / at its end, as they are'))
    .addOption(valued('--concurrency <N>', 'files at once (default: chosen on the way)', parseCount))
    .addOption(
      new Option('--order <ORDER>', 'which file is next (default: size)').choices(['size', 'name', 'manifest']),
    )
    .addOption(new Option('-c, --continue-after-error', 'go on after a failed file (default)'))
    .addOption(new Option('--stop-on-error', 'start no further file after a failed one'))
    .addOption(new Option('--report <FILE>', 'write what became of each file, as JSON lines'))
    .addOption(new Option('--skip-invalid', 'fetch the others when rows of a list cannot be used'))
    .addOption(new Option('--layout <LAYOUT>', 'how files are named: original, guid, combined, tree or a template'))
    .addOption(
      new Option(
        '--on-conflict <WHAT>',
        'when two rows have one name (default: rename; URLs with a path: error)',
      ).choices(['rename', 'skip', 'overwrite', 'error']),
    )
    .addOption(
      new Option('--unsafe-names <WHAT>', 'names with .. and the like (default: reject)').choices([
        'reject',
        'rewrite',
      ]),
    )
    .addOption(new Option('--portable-names', 'make names that every system takes'))
    .addOption(new Option('--dry-run', 'show what would be fetched, and fetch nothing'))
    .addOption(new Option('--probe', 'with --dry-run: ask the servers for sizes and names'))
    .addOption(
      valued(
        '--multipart-threshold <SIZE>',
        'accepted for getm’s scripts; parts are sized as --part-size says, memory by --max-memory',
        parseSize,
      ),
    )
  addSpeedOptions(command)
  addAccessOptions(command)
  addAnswerOptions(command.optionsGroup('Unusual answers:'))
  command
    .optionsGroup('Progress and log:')
    .addOption(
      new Option('--progress <KIND>', 'bar on a terminal, else plain lines; json and none').choices(progressModes),
    )
  addProfileOptions(command)
  addLogOptions(command)
}

export function addProofOptions(command: Command): Command {
  return addChecksumOptions(command).addOption(
    new Option('--require-checksum', 'fail when nothing but the size could be checked'),
  )
}

/** What a file must be, whether it is fetched or read again. */
export function addChecksumOptions(command: Command): Command {
  return command
    .optionsGroup('Proof:')
    .addOption(
      new Option('--checksum <ALG:HEX>', 'what the bytes must give, e.g. sha256:9f86…; repeatable (-cs)').argParser(
        collect,
      ),
    )
    .addOption(new Option('--checksum-algorithm <ALG>', 'the algorithm of a bare --checksum (-ca)'))
    .addOption(valued('--size <BYTES>', 'the size that the file must have', parseSize))
}

/**
 * The checksums that were given, as `ALG:VALUE`. getm's pair `-cs VALUE -ca ALG` is one of them.
 * Misspelt ones are refused by the engine's own parser, before anything is asked of a server.
 */
export function checksumsFrom(
  flags: ProofFlags,
  { parseChecksumArgument }: Pick<EngineDoor, 'parseChecksumArgument'>,
): string[] {
  const { checksum: given = [], checksumAlgorithm: algorithm } = flags
  if (algorithm !== undefined && given.length !== 1) {
    throw new ProgramError(
      'Usage',
      given.length === 0
        ? '--checksum-algorithm needs the --checksum that it speaks of.'
        : '--checksum-algorithm speaks of a single --checksum; write several as ALG:HEX.',
    )
  }
  const named = algorithm === undefined || hasName(given[0]!) ? [...given] : [`${algorithm}:${given[0]}`]
  const parsed = named.map(text => parseChecksumArgument(text))
  if (algorithm !== undefined && hasName(given[0]!)) {
    const same = parseChecksumArgument(`${algorithm}:${given[0]!.slice(given[0]!.search(/[:-]/) + 1)}`)
    if (same.algorithm !== parsed[0]!.algorithm) {
      throw new ProgramError('Usage', `--checksum names another algorithm than --checksum-algorithm ${algorithm}.`)
    }
  }
  return named
}

function hasName(text: string): boolean {
  return /^[a-z][\w-]*:/i.test(text) || /^(sha|md)-?\d+-/i.test(text)
}

/** What holds for every file of the run, whether one or many. */
export function fileOptions(flags: GetFlags): Omit<DownloadOptions, 'engine' | 'signal'> {
  const { ifExists, resume, allowWeakResume, fsync, preserveTime, requireChecksum } = flags
  return {
    ifExists,
    resume,
    allowWeakResume,
    durability: fsync === false ? 'none' : 'data',
    preserveTime,
    requireChecksum,
  }
}

export function listOptions(flags: GetFlags, directory: string): DownloadManifestOptions {
  if (flags.continueAfterError && flags.stopOnError) {
    throw new ProgramError('Usage', '--continue-after-error and --stop-on-error contradict each other.')
  }
  return {
    directory,
    transfers: flags.concurrency,
    order: flags.order,
    continueAfterError: !flags.stopOnError,
    layout: flags.layout,
    onConflict: flags.onConflict,
    unsafeNames: flags.unsafeNames,
    portable: flags.portableNames,
  }
}
