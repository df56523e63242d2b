/** What was seen of the catalogue's database, in words for whoever has to mend it. */
import type { DatabaseLook } from '../catalogue/look.ts'
import { clockFinding } from './clock-finding.ts'
import type { DeploymentFinding } from './finding.ts'

export function* databaseFindings(look: DatabaseLook): Generator<DeploymentFinding, void> {
  const check = 'database'
  switch (look.state) {
    case 'unusable':
      yield { check, level: 'fail', found: look.why, next: look.remedy }
      return
    case 'unseen':
      yield { check, level: 'unknown', found: look.why, next: look.remedy }
      return
    case 'empty':
      yield { check, level: 'ok', found: `${look.where}: no catalogue yet; the first start makes it` }
      return
    case 'newer':
    case 'older':
      yield schemaFinding(look)
      return
    case 'current':
      yield { check, level: 'ok', found: look.where }
      for (const found of look.warnings) yield { check, level: 'warn', found, next: 'See docs/manual/operate.md.' }
      if (look.aheadMs !== undefined) yield clockFinding('the database', look.aheadMs)
  }
}

function schemaFinding(look: Extract<DatabaseLook, { state: 'newer' | 'older' }>): DeploymentFinding {
  const names = look.migrations.join(', ')
  if (look.state === 'newer') {
    return {
      check: 'schema',
      level: 'fail',
      found: `a newer release has changed it (${names}); this one does not know that`,
      next: 'Install that release again, or restore the backup from before the upgrade.',
    }
  }
  // Of a file the server makes a copy itself.
  if (look.canBackUp) {
    return { check: 'schema', level: 'ok', found: `the next start copies the catalogue and changes it (${names})` }
  }
  return {
    check: 'schema',
    level: 'fail',
    found: `it is of an older release, and is to be changed (${names})`,
    next: 'Stop all servers, run pg_dump --format=custom, then arriero serve --prepare --backup-made once.',
  }
}
