/** Backups of a catalogue in a file; where it is in PostgreSQL, or in memory, there is nothing to do. */

import type { Catalogue } from '../catalogue/catalogue.ts'
import { openCatalogue } from '../catalogue/open.ts'
import type { Settings } from '../config.ts'
import { type Backups, type BackupsOptions, createBackups } from '../services/backups/backups.ts'

export interface BackupFeatureOptions extends Pick<BackupsOptions, 'alarms' | 'clock' | 'log'> {
  readonly settings: Settings
  readonly catalogue: Catalogue
}

export function createBackupFeature(options: BackupFeatureOptions): {
  backups: Backups | undefined
  work(signal: AbortSignal): Promise<void>
} {
  const { settings, catalogue } = options
  if (!catalogue.capabilities.canBackUp || settings.catalogue.engine !== 'sqlite') {
    return { backups: undefined, work: async () => {} }
  }
  // Nobody writes while it is read, and what a thread has taken is not given back to the system.
  const openCopy = (path: string) => openCatalogue({ url: path, readers: 0 })
  const backups = createBackups({ ...options, settings: settings.backups, path: settings.catalogue.path, openCopy })
  return { backups, work: signal => backups.work(signal) }
}
