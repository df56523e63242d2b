import { resolve } from 'node:path'
import type { Context } from '../context.ts'
import type { Finding } from './finding.ts'

/** What a librarian's stores and its catalogue say differently of each other, each with its age and the next step. */
export async function* examineCatalogue(config: string | undefined, context: Context): AsyncGenerator<Finding> {
  const { createLog, inspectStores, loadSettings } = await import('@arriero/librarian')
  const { env, cwd } = context.terminal
  const path = config === undefined ? undefined : resolve(cwd, config)
  const settings = loadSettings({ env, ...(path === undefined ? {} : { path }) })
  const log = createLog({ level: 'fatal', name: settings.name, write: () => {} })
  let count = 0
  for await (const { difference, store, what, since, next } of inspectStores({
    settings,
    log,
    signal: context.signal,
  })) {
    count += 1
    const age = since === undefined ? '' : ` (since ${since})`
    const level = difference === 'withdrawn' || difference === 'unknown-work' ? 'warn' : 'fail'
    yield { check: difference, level, found: `${store}: ${what}${age}`, next }
  }
  if (count === 0) yield { check: 'catalogue', level: 'ok', found: 'stores and catalogue agree' }
}
