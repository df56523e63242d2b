/** What the server's process needs of its machine. */
import { readFileSync } from 'node:fs'
import type { Settings } from '../config.ts'
import type { DeploymentFinding } from './finding.ts'

/** Files, threads and connections of its own, beyond those of callers. */
const OWN_FILES = 512

export function* examineMachine(
  settings: Pick<Settings, 'limits' | 'role'>,
  limitsFile = '/proc/self/limits',
): Generator<DeploymentFinding, void> {
  const { limits, role } = settings
  const most = openFileLimit(limitsFile)
  const wanted = OWN_FILES + (role === 'worker' ? 0 : limits.connections)
  if (most === undefined) return
  const found = `at most ${most} open files; ${wanted} may be needed`
  const next = 'Raise it (LimitNOFILE= of systemd, ulimits of a container), or lower limits.connections.'
  yield { check: 'open files', level: most < wanted ? 'warn' : 'ok', found, ...(most < wanted ? { next } : {}) }
}

/** Node has raised the soft limit to the hard one by now. */
function openFileLimit(file: string): number | undefined {
  try {
    const text = /^Max open files\s+(\S+)/m.exec(readFileSync(file, 'utf8'))?.[1]
    return text === undefined ? undefined : text === 'unlimited' ? Number.POSITIVE_INFINITY : Number(text)
  } catch {
    return undefined
  }
}
