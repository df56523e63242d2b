/** How the backups of a catalogue stand: for `health` and for `doctor`, whether or not a server runs. */
import { type Instant, instantOf } from '@arriero/api'
import type { Clock } from '../../clock.ts'
import type { BackupSettings } from '../../config.ts'
import { listBackups, readChecks } from './backup-directory.ts'

export interface BackupState {
  readonly count: number
  readonly newest: { readonly name: string; readonly time: Instant; readonly ageSeconds: number } | undefined
  /** The last one that was restored and read in full. */
  readonly restored: (Verdict & { readonly name: string }) | undefined
  /** The last full reading of the catalogue itself. */
  readonly checked: Verdict | undefined
  /** What an operator should look at, in words that anybody may read. */
  readonly concerns: readonly string[]
}

export interface Verdict {
  readonly time: Instant
  readonly ageSeconds: number
  readonly problems: readonly string[]
}

/** @param id of the catalogue; default: whichever has the newest backup */
export async function describeBackups(
  settings: BackupSettings,
  clock: Pick<Clock, 'wallNow'>,
  id?: string,
): Promise<BackupState> {
  const all = await listBackups(settings.directory, id)
  const own = id ?? all[0]?.id
  const checks = own === undefined ? {} : await readChecks(settings.directory, own)
  const newest = all[0] && { name: all[0].name, ...momentOf(all[0].time, clock) }
  const restored = checks.restored && { ...checks.restored, ...momentOf(checks.restored.time, clock) }
  const checked = checks.catalogue && { ...checks.catalogue, ...momentOf(checks.catalogue.time, clock) }
  const found = { count: all.filter(backup => backup.id === own).length, newest, restored, checked }
  return { ...found, concerns: concernsOf(found, settings) }
}

function momentOf(time: number, clock: Pick<Clock, 'wallNow'>): { time: Instant; ageSeconds: number } {
  return { time: instantOf(new Date(time)), ageSeconds: Math.round((clock.wallNow() - time) / 1000) }
}

function concernsOf(
  { newest, restored, checked }: Omit<BackupState, 'concerns'>,
  { everyMs, restoreEveryMs, checkEveryMs }: BackupSettings,
): string[] {
  const concerns: string[] = []
  if (everyMs === undefined) concerns.push('backups of the catalogue are switched off')
  else if (!newest) concerns.push('there is no backup of the catalogue')
  else if (isOld(newest.ageSeconds, everyMs)) concerns.push('the newest backup of the catalogue is too old')
  if (newest && (!restored || isOld(restored.ageSeconds, restoreEveryMs)))
    concerns.push('no backup of the catalogue was restored and checked lately')
  if (restored && restored.problems.length > 0) concerns.push('the last backup that was checked is not good')
  if (checked && checked.problems.length > 0) concerns.push('the catalogue is damaged')
  if (newest && (!checked || isOld(checked.ageSeconds, checkEveryMs)))
    concerns.push('the catalogue was not read in full lately')
  return concerns
}

/** With so much time to be made in, or dated in the future, which proves nothing (reliability E4). */
function isOld(ageSeconds: number, everyMs: number): boolean {
  return ageSeconds > (2 * everyMs) / 1000 + 60 || ageSeconds < -60
}
