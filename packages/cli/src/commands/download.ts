import { posix } from 'node:path'
import { type Command, Option } from 'commander'
import type { Context } from '../context.ts'
import { withEngine } from '../engine.ts'
import { ProgramError } from '../errors.ts'
import { shownPath } from '../get/outcome.ts'
import {
  type Downloaded,
  type Librarian,
  type LibrariansFlags,
  librariansOption,
  loadClient,
  patientRetries,
  type Wanted,
  withLibrarians,
} from '../librarian/client.ts'
import { createOutcomes, type Done, type Outcomes } from '../librarian/outcomes.ts'
import { type GlobFlags, noGlobOption, patternHelp } from '../librarian/patterns.ts'
import { progressMode, progressModes, withProgress } from '../progress/with-progress.ts'
import { formatSize } from '../units.ts'
import type { Run } from './define.ts'

interface DownloadFlags extends LibrariansFlags, GlobFlags {
  readonly output?: string
  readonly dir?: string
  readonly report?: string
  readonly progress?: (typeof progressModes)[number]
}

export function define(command: Command, run: Run): void {
  command
    .argument('<name...>', 'names at the librarian, or patterns')
    .addOption(librariansOption())
    .addOption(noGlobOption())
    .addOption(new Option('-o, --output <PATH>', 'path for a single file or tree'))
    .addOption(new Option('-d, --dir <DIR>', 'directory for them (default: here)'))
    .addOption(new Option('--report <FILE>', 'write what became of each, as JSON lines'))
    .addOption(new Option('--progress <KIND>', 'bar on a terminal, else plain lines').choices(progressModes))
  command.addHelpText(
    'after',
    `
Examples:
  arriero download 2026/ocean.nc
  arriero download 2026/ocean.nc -o here.nc
  arriero download '2026/*.nc' -d data
  arriero download night-1 --librarian site --librarian archive
  arriero download night-1/raw/0001.fits            # one file of a tree

A file or tree has its name only when it is complete and has the digest that its
uploader gave. Several --librarian are mirrors of each other; each gets its own
login and no other. What is there already and the same is passed over. A single
librarian that goes away is waited for, some two minutes and never more than
five; what has arrived is kept for the same command again.

${patternHelp}`,
  )
  command.action(run(download))
}

async function download(names: string[], flags: DownloadFlags, context: Context): Promise<number> {
  if (flags.output !== undefined && flags.dir !== undefined) {
    throw new ProgramError('Usage', '--output and --dir contradict each other.')
  }
  context.onInterrupt = () => 'The same command again continues from here.'
  const outcomes = createOutcomes(context, 'downloaded', flags)
  try {
    return await withLibrarians(flags, context, librarians => fetchAll(names, librarians, flags, outcomes, context), {
      retries: patientRetries,
    })
  } finally {
    outcomes.close()
  }
}

async function fetchAll(
  names: readonly string[],
  librarians: readonly Librarian[],
  flags: DownloadFlags,
  outcomes: Outcomes,
  context: Context,
): Promise<number> {
  const door = await loadClient()
  const { signal } = context
  const isLiteral = flags.glob === false
  const isSingle = names.length === 1 && (isLiteral || !door.isPattern(names[0] as string))
  if (flags.output !== undefined && !isSingle)
    throw new ProgramError('Usage', '--output speaks of one file; use --dir.')
  const directory = flags.dir ?? '.'
  const url = librarians[0]?.connection.url ?? ''
  await withEngine({ proxyFromEnvironment: true }, async engine => {
    const mode = progressMode(context, flags.progress)
    const options = { librarians, engine, signal }
    await withProgress(context, mode, engine.progress, { isSingle }, async () => {
      if (isSingle) {
        const [name = ''] = names
        try {
          outcomes.succeed(doneOf(await door.download(name, flags.output ?? `${directory}/`, options), context))
        } catch (error) {
          signal.throwIfAborted()
          outcomes.fail(name, door.explained(await withHint(error, name, librarians, isLiteral, context), url))
        }
        return
      }
      for await (const outcome of door.downloadMany(
        wantedOf(names, librarians, isLiteral, context),
        directory,
        options,
      )) {
        if (outcome.ok) outcomes.succeed(doneOf(outcome.downloaded, context))
        else {
          const error = await withHint(outcome.error, outcome.name, librarians, isLiteral, context)
          outcomes.fail(outcome.name, door.explained(error, url))
        }
      }
    })
  })
  return outcomes.end()
}

/** Of a name that is nowhere, with what was probably meant. */
async function withHint(
  error: unknown,
  name: string,
  librarians: readonly Librarian[],
  isLiteral: boolean,
  { signal }: Context,
): Promise<unknown> {
  if (!(error instanceof Error && 'code' in error && error.code === 'NotFound')) return error
  const [first] = librarians
  const door = await loadClient()
  const hint = first && (await door.hintFor(first, name, { isLiteral, signal }).catch(() => undefined))
  signal.throwIfAborted()
  return hint === undefined ? error : new ProgramError('NotFound', error.message, { remedy: hint, cause: error })
}

/** Patterns as the librarians know them, paths below their first wildcard kept; every name once. */
async function* wantedOf(
  names: readonly string[],
  librarians: readonly Librarian[],
  isLiteral: boolean,
  { signal }: Context,
): AsyncGenerator<Wanted> {
  const door = await loadClient()
  const seen = new Set<string>()
  const locate = async (name: string, path: string): Promise<Wanted> => {
    seen.add(name)
    try {
      return { located: await door.locate(librarians, name, signal), path }
    } catch (error) {
      signal.throwIfAborted()
      return { name, error }
    }
  }
  for (const name of names) {
    if (isLiteral || !door.isPattern(name)) {
      if (!seen.has(name)) yield await locate(name, posix.basename(name))
      continue
    }
    const fixed = name.slice(0, name.search(/[*?]/)).lastIndexOf('/') + 1
    let found = 0
    for (const librarian of librarians) {
      for await (const file of door.searchFiles(librarian, { name }, { signal })) {
        found++
        if (seen.has(file.name)) continue
        const path = file.name.slice(fixed)
        if (librarians.length > 1) yield await locate(file.name, path)
        else yield { located: { file, holders: librarians }, path }
        seen.add(file.name)
      }
    }
    if (found === 0) yield { name, error: new ProgramError('NotFound', `Nothing matches ${name}.`) }
  }
}

function doneOf(downloaded: Downloaded, { terminal }: Context): Done {
  const { name, size, checksum, status, path } = downloaded
  const algorithm = checksum.split(':::')[0]
  const isNew = status === 'downloaded'
  const line = `${formatSize(size)}, ${isNew ? '' : 'was there already, '}${algorithm} ok, ${shownPath(path, terminal.cwd)}`
  return { name, size, isNew, line, row: { ...downloaded } }
}
