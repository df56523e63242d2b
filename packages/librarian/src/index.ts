/**
 * The door of the server.
 *
 * @module
 */

export type { Catalogue } from './catalogue/catalogue.ts'
export { type OpenCatalogueOptions, openCatalogue } from './catalogue/open.ts'
export { readSecretFile } from './config/files.ts'
export { loadSettings, Secret, type Settings, type SettingsSource } from './config.ts'
export type { DeploymentFinding } from './deployment/finding.ts'
export { type DeploymentOptions, inspectDeployment } from './deployment/inspect-deployment.ts'
export { inspectPublicUrl, type PublicUrlOptions } from './deployment/public-url.ts'
export {
  type ImportedCatalogue,
  type InspectOptions,
  importCatalogue,
  inspectBackups,
  inspectOwner,
  inspectStores,
  type RestoreReport,
  rebuildCatalogue,
  repairDatabase,
  replaceDiskOf,
  restoreCatalogue,
  tellDownstreamOf,
} from './inspect.ts'
export { createLog, type LogOptions } from './log/create-log.ts'
export { openLogSinks } from './log/open-sinks.ts'
export type { Log } from './log.ts'
export { prepare, type Ready, type RunTasksOptions, runTasks, type ServeOptions, serve } from './main.ts'
export type { BackupState } from './services/backups/describe-backups.ts'
export type { RebuildReport } from './services/recovery/rebuild.ts'
export type { Difference, Finding } from './services/recovery/reconcile.ts'
export { type DataDirectory, findDataDirectory, makeDataDirectory } from './setup/data-directory.ts'
export type { MadeAdmin } from './setup/first-admin.ts'
export { giveAdminOffline, type WantedAdmin } from './setup/give-admin.ts'
export type * from './stores/store.ts'
export type { TaskRunReport } from './tasks/scheduler.ts'
