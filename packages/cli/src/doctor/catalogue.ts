import type { Difference, Settings } from '@arriero/librarian'
import type { Context } from '../context.ts'
import { findSettings } from '../serve/find-settings.ts'
import { backupFindings } from './backups.ts'
import type { Finding } from './finding.ts'

type Door = typeof import('@arriero/librarian')

/** What a librarian's stores and its catalogue say differently of each other, each with its age and the next step. */
export async function* examineCatalogue(
  flags: { readonly config?: string | undefined; readonly data?: string | undefined },
  context: Context,
): AsyncGenerator<Finding> {
  const door = await import('@arriero/librarian')
  const { settings } = findSettings(door, flags, context.terminal)
  const backups = await door.inspectBackups({ settings })
  if (backups) yield* backupFindings(backups)
  const owner = door.inspectOwner({ settings })
  if (owner === undefined) yield* compare(door, settings, context)
  else yield notCompared(owner)
}

async function* compare(door: Door, settings: Settings, { signal }: Context): AsyncGenerator<Finding> {
  const log = door.createLog({ level: 'fatal', name: settings.name, write: () => {} })
  let count = 0
  for await (const { difference, store, what, since, found, next } of door.inspectStores({ settings, log, signal })) {
    count += 1
    const ages = [found && `found bad ${found}`, since && `registered ${since}`].filter(Boolean).join(', ')
    const age = ages === '' ? '' : ` (${ages})`
    const level = isHarmless(difference) ? 'warn' : 'fail'
    yield { check: difference, level, found: `${store}: ${what}${age}`, next }
  }
  if (count === 0) yield { check: 'catalogue', level: 'ok', found: 'stores and catalogue agree' }
}

function notCompared(owner: string): Finding {
  return {
    check: 'catalogue',
    level: 'unknown',
    found: `stores and catalogue were not compared: ${owner} has the catalogue open`,
    next: 'Stop that server, then run this again; while it runs, its /health tells of stores, catalogue and backups.',
  }
}

/** No file is missing by it. */
export function isHarmless(difference: Difference): boolean {
  return difference === 'withdrawn' || difference === 'unknown-work' || difference === 'broken-trail'
}
