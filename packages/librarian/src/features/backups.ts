/** Backups of a catalogue in a file; where it is in PostgreSQL, or in memory, there is nothing to do. */
import { openCatalogue } from '../catalogue/open.ts'
import type { Shared } from '../librarian.ts'
import { type Backups, createBackups } from '../services/backups/backups.ts'

export function createBackupFeature(shared: Shared): {
  backups: Backups | undefined
  work(signal: AbortSignal): Promise<void>
} {
  const { settings, catalogue } = shared
  if (!catalogue.capabilities.canBackUp || settings.catalogue.engine !== 'sqlite') {
    return { backups: undefined, work: async () => {} }
  }
  const openCopy = (path: string) => openCatalogue({ url: path })
  const backups = createBackups({ ...shared, settings: settings.backups, path: settings.catalogue.path, openCopy })
  return { backups, work: signal => backups.work(signal) }
}
