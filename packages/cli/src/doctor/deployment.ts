import type { Settings, SettingsSource } from '@arriero/librarian'
import type { Context } from '../context.ts'
import { findSettings } from '../serve/find-settings.ts'
import type { Finding } from './finding.ts'

type Door = typeof import('@arriero/librarian')

export interface DeploymentFlags {
  readonly config?: string | undefined
  readonly data?: string | undefined
  readonly url?: string | undefined
}

/** Why a librarian does not start, or does not work: its settings first, then all that they stand on. */
export async function* examineDeployment(flags: DeploymentFlags, context: Context): AsyncGenerator<Finding> {
  const door = await import('@arriero/librarian')
  const problems: Finding[] = []
  const { terminal, signal } = context
  const loadSettings = (source: SettingsSource) => loadWhatCanBe(door, source, problems)
  const { settings, settingsPath } = findSettings({ ...door, loadSettings }, flags, terminal)
  yield* problems
  if (problems.length === 0) {
    yield { check: 'settings', level: 'ok', found: `${settingsPath ?? 'of the environment'}: can be used` }
  }
  for (const found of settings.warnings) {
    yield { check: 'settings', level: 'warn', found, next: 'Remove it, or correct its spelling.' }
  }
  for await (const finding of door.inspectDeployment({ settings, url: flags.url, signal })) {
    if (!isTold(finding, problems)) yield finding
  }
}

/** From anywhere: without settings. */
export async function* examineProxy(url: string, { signal }: Context): AsyncGenerator<Finding> {
  const { inspectPublicUrl } = await import('@arriero/librarian')
  yield* inspectPublicUrl(url, { signal, timeoutMs: ANSWER_MS })
}

/** Longer than any answer of these takes where nothing is wrong. */
const ANSWER_MS = 10_000

const secretFiles = ['encryption_key_file', 'database_password_file', 'globus_client_secret_file'] as const

/** A secret that cannot be read is told, and everything else is looked at without it. */
function loadWhatCanBe(door: Door, source: SettingsSource, problems: Finding[]): Settings {
  const without: Record<string, null> = {}
  for (;;) {
    try {
      return door.loadSettings({ ...source, overrides: { ...source.overrides, ...without } })
    } catch (error) {
      const { message, remedy } = error as Error & { readonly remedy?: string }
      const key = secretFiles.find(each => message.includes(each) && !(each in without))
      if (key === undefined) throw error
      without[key] = null
      const check = key === 'encryption_key_file' ? 'encryption key' : 'settings'
      problems.push({
        check,
        level: 'fail',
        found: message,
        next: remedy ?? 'Let the server’s user read it, and nobody else.',
      })
    }
  }
}

/** That a key which cannot be read is not there is no second problem. */
function isTold({ check }: Finding, problems: readonly Finding[]): boolean {
  return check === 'encryption key' && problems.some(problem => problem.check === check)
}
