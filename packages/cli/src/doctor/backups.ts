/** How old the newest backup of a catalogue is, and when one was last tried. */
import type { BackupState } from '@arriero/librarian'
import { formatDuration } from '../units.ts'
import type { Finding } from './finding.ts'

export function* backupFindings({ newest, restored, checked, count, concerns }: BackupState): Generator<Finding> {
  const ago = ({ ageSeconds }: { ageSeconds: number }) => `${formatDuration(Math.max(0, ageSeconds) * 1000)} ago`
  if (newest) yield { check: 'newest backup', level: 'ok', found: `${newest.name}, ${ago(newest)}; ${count} in all` }
  for (const [check, verdict] of [
    ['backup restored', restored],
    ['catalogue read', checked],
  ] as const) {
    if (!verdict) continue
    const { problems } = verdict
    const found = problems.length === 0 ? `${ago(verdict)}: good` : `${ago(verdict)}: ${problems.join('; ')}`
    yield { check, level: problems.length === 0 ? 'ok' : 'fail', found }
  }
  for (const found of concerns) {
    yield { check: 'backups', level: 'warn', found, next: 'See the server’s log, and docs/manual/operate.md.' }
  }
}
