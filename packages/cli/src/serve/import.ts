/** `arriero serve --import`: what was taken over from a Python librarian, and what a person should look at. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Context, printJson, printLine } from '../context.ts'
import { ProgramError } from '../errors.ts'
import { count, printable } from '../text.ts'
import { takenOverText } from './taken-over-text.ts'

type Door = typeof import('@arriero/librarian')
type Options = Omit<Parameters<Door['importCatalogue']>[0], 'from'>

/** @param named a settings file of the other librarian, or the address of its database */
export async function importFrom(
  { importCatalogue, loadSettings }: Pick<Door, 'importCatalogue' | 'loadSettings'>,
  options: Options,
  named: string,
  context: Context,
): Promise<boolean> {
  const { env, cwd } = context.terminal
  const isAddress = /^(sqlite|postgres(ql)?):/.test(named)
  if (!isAddress && !existsSync(resolve(cwd, named))) {
    throw new ProgramError('Usage', `Cannot import: there is no file ${named}`, {
      remedy: 'Name the settings file of the other librarian, sqlite:PATH or postgres://USER@HOST/NAME.',
    })
  }
  const from = isAddress ? absolute(named, cwd) : addressIn(loadSettings({ env, path: resolve(cwd, named) }))
  const { counts, problems, takenOver } = await importCatalogue({ ...options, from })
  if (context.flags.json) printJson(context, { counts, problems, taken_over: takenOver })
  else {
    for (const store of takenOver) printLine(context, printable(takenOverText(store)))
    for (const problem of problems) printLine(context, printable(problem))
    const { files = 0, instances = 0, users = 0, librarians = 0 } = counts
    printLine(
      context,
      `imported ${count(files, 'file')} with ${instances} copies here, ${count(users, 'user')}, ${count(librarians, 'other librarian')}; ` +
        count(problems.length, 'problem'),
    )
    if (!context.flags.quiet)
      context.say('Nobody has read the copies yet: the librarian does so once it runs (arriero validate, /health).')
  }
  return problems.length === 0
}

function absolute(address: string, cwd: string): string {
  const path = /^sqlite:(?:\/\/(?=\/))?(.+)$/.exec(address)?.[1]
  return path === undefined ? address : `sqlite:${resolve(cwd, path)}`
}

function addressIn({ catalogue }: ReturnType<Door['loadSettings']>): string {
  return catalogue.engine === 'sqlite' ? `sqlite:${catalogue.path}` : catalogue.url.reveal()
}
