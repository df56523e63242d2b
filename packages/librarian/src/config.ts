/**
 * Settings of the server (librarian 13): from a file, then the environment, then defaults. What the file says beats the
 * environment, as it does in existing installations (librarian Q26).
 */
import { dirname, extname, join, resolve } from 'node:path'
import { LibrarianError } from '@arriero/api'
import { type BackgroundSettings, backgroundSchema, withAliases } from './config/background.ts'
import { catalogueSettings } from './config/catalogue-settings.ts'
import { type Environment, readEnvironment } from './config/environment.ts'
import { readSecretFile, readSettingsFile, refuseIfPublic } from './config/files.ts'
import { issuesOf } from './config/issues.ts'
import { backgroundPrefix, type RawSettings, serverPrefix, settingsKeys, settingsSchema } from './config/schema.ts'
import { Secret } from './config/secret.ts'
import type { CatalogueSettings, RsyncSettings, Settings } from './config/settings.ts'
import { storeSettings } from './config/store-settings.ts'
import { rankOf } from './log/record.ts'
import { parseRotation } from './log/rotation.ts'

export { Secret } from './config/secret.ts'
export type * from './config/settings.ts'

export interface SettingsSource {
  readonly env: Environment
  /** A file that must be there. Default: the one that LIBRARIAN_CONFIG_PATH names, if it is there. */
  readonly path?: string | undefined
  /** What the command line says: beats everything. Keys as in the file. */
  readonly overrides?: Readonly<Record<string, unknown>> | undefined
  /** What counts where nobody says anything. Keys as in the file. */
  readonly defaults?: Readonly<Record<string, unknown>> | undefined
}

/** Keys whose text in the environment is JSON. */
const complexKeys = new Set([
  'add_stores',
  'log_settings',
  'ingest',
  'deletion',
  'backups',
  'rsync',
  'limits',
  'trusted_proxies',
  'metrics',
  'notifications',
  'background',
])

const secretKeys = ['encryption_key', 'database_password', 'globus_client_secret'] as const

/** `LibrarianError` `Configuration` with what to do, for everything that is wrong; never with a secret. */
export function loadSettings({ env, path, overrides = {}, defaults = {} }: SettingsSource): Settings {
  const file = readMainFile(path, env)
  const environment = readEnvironment(env, { prefix: serverPrefix, keys: settingsKeys, complex: complexKeys })
  const merged = { ...defaults, ...environment.values, ...file.values, ...overrides }
  const parsed = settingsSchema.safeParse(merged)
  if (!parsed.success) {
    throw new LibrarianError('Configuration', `Cannot use the settings${file.shown}: ${issuesOf(parsed.error)}`)
  }
  if (file.path !== undefined && holdsSecrets(file.values)) refuseIfPublic(file.path, 'secrets')
  const warnings = environment.unknown.map(name => `${name} means nothing and is left out`)
  return complete(parsed.data, { warnings, background: loadBackground(parsed.data, env), home: homeOf(file.path) })
}

interface MainFile {
  readonly path: string | undefined
  readonly values: Record<string, unknown>
  /** For messages. */
  readonly shown: string
}

function readMainFile(path: string | undefined, env: Environment): MainFile {
  const named = path ?? (env.LIBRARIAN_CONFIG_PATH || undefined)
  if (named === undefined) return { path: undefined, values: {}, shown: '' }
  const values = readSettingsFile(named)
  if (values === undefined && path !== undefined) {
    throw new LibrarianError('Configuration', `Cannot read the settings: there is no file ${path}`, {
      remedy: 'Check the path that --config names.',
    })
  }
  return { path: values && named, values: values ?? {}, shown: values ? ` in ${named}` : '' }
}

function holdsSecrets(values: Readonly<Record<string, unknown>>): boolean {
  const { log_settings: log, notifications, catalogue } = values
  return (
    secretKeys.some(key => typeof values[key] === 'string') ||
    (typeof catalogue === 'string' && /\/\/[^/@]*:[^/@]*@/.test(catalogue)) ||
    typeof (log as { slack_webhook_url?: unknown } | undefined)?.slack_webhook_url === 'string' ||
    typeof (notifications as { url?: unknown } | undefined)?.url === 'string' ||
    /"(access_key|secret_access_key|secret_key)"/.test(JSON.stringify(values.add_stores ?? null))
  )
}

/** The background file, or the key `background` of the settings; the file wins. */
function loadBackground(raw: RawSettings, env: Environment): BackgroundSettings {
  const path = env.LIBRARIAN_BACKGROUND_CONFIG || undefined
  const file = path === undefined ? undefined : readSettingsFile(path)
  const keys = [...Object.keys(backgroundSchema.shape), 'receive_clone']
  const environment = readEnvironment(env, {
    prefix: backgroundPrefix,
    keys: [...keys, 'config'],
    complex: new Set(keys),
  })
  const { config: _, ...fromEnvironment } = environment.values
  const shown = file ? `the background settings in ${path}` : 'the background settings'
  const parsed = backgroundSchema.safeParse(withoutTwins({ ...raw.background, ...fromEnvironment, ...file }, shown))
  if (parsed.success) return parsed.data
  throw new LibrarianError('Configuration', `Cannot use ${shown}: ${issuesOf(parsed.error)}`)
}

function withoutTwins(raw: Readonly<Record<string, unknown>>, shown: string): Record<string, unknown> {
  try {
    return withAliases(raw)
  } catch (error) {
    throw new LibrarianError('Configuration', `Cannot use ${shown}: it ${(error as Error).message}`)
  }
}

/** What paths are relative to: our own settings can be moved with their directory; existing ones rely on where they are run. */
function homeOf(path: string | undefined): string {
  return path !== undefined && extname(path) !== '.json' ? dirname(resolve(path)) : '.'
}

function complete(
  raw: RawSettings,
  { warnings, background, home }: { warnings: string[]; background: BackgroundSettings; home: string },
): Settings {
  const dataDirectory = resolve(home, raw.data_directory ?? '.')
  const secret = (text: string | null, file: string | null, key: string) =>
    file === null ? (text === null ? undefined : new Secret(text)) : readSecretFile(resolve(home, file), key)
  const { stores, warnings: storeWarnings } = storeSettings(raw.add_stores, home === '.' ? undefined : home)
  const password = secret(raw.database_password, raw.database_password_file, 'database_password_file')
  const catalogue = catalogueSettings(raw, { password, dataDirectory })
  const log = raw.log_settings
  const slackUrl = secret(log.slack_webhook_url, log.slack_webhook_url_file, 'slack_webhook_url_file')
  if (log.slack_webhook_enable && !slackUrl) {
    warnings.push('log_settings: slack_webhook_enable does nothing without slack_webhook_url or slack_webhook_url_file')
  }
  for (const rotation of Object.values(log.files)) parseRotation(rotation)
  demandLevel('slack_webhook_level', log.slack_webhook_level)
  demandLevel('notifications.level', raw.notifications.level)
  return {
    name: raw.name,
    debug: raw.debug,
    encryptionKey: secret(raw.encryption_key, raw.encryption_key_file, 'encryption_key_file'),
    catalogue,
    logLevel: raw.log_level,
    displayedSiteName: raw.displayed_site_name,
    displayedSiteDescription: raw.displayed_site_description,
    host: raw.host,
    port: raw.port,
    workerHost: raw.worker_host,
    workerPort: raw.worker_port ?? undefined,
    addStores: stores,
    maxSearchResults: raw.max_search_results,
    maximalUploadSize: raw.maximal_upload_size_bytes,
    maxAsyncSendRetries: raw.max_async_send_retries,
    maxAsyncInflightTransfers: raw.max_async_inflight_transfers,
    log: {
      files: Object.fromEntries(
        Object.entries(log.files).map(([path, rotation]) => [resolve(dataDirectory, path), rotation]),
      ),
      slackEnabled: log.slack_webhook_enable,
      slackUrl,
      slackLevel: log.slack_webhook_level,
    },
    globus: {
      enable: raw.globus_enable,
      clientId: raw.globus_client_id,
      nativeApp: raw.globus_client_native_app,
      localEndpointId: raw.globus_local_endpoint_id,
      localRoot: raw.globus_local_root ?? undefined,
      encryptTransfers: raw.globus_encrypt_transfers,
      clientSecret: secret(raw.globus_client_secret, raw.globus_client_secret_file, 'globus_client_secret_file'),
    },
    rsync: { hosts: sshHosts(raw.rsync.hosts, dataDirectory) },
    checksumThreads: raw.checksum_threads,
    checksumTimeoutMs: raw.checksum_timeout,
    role: raw.role,
    dataDirectory,
    ingest: {
      hosts: raw.ingest.hosts,
      ports: raw.ingest.ports,
      schemes: raw.ingest.schemes,
      networks: raw.ingest.networks,
      credentials: raw.ingest.credentials,
      itemsAtOnce: raw.ingest.items_at_once,
      jobsAtOnce: raw.ingest.jobs_at_once,
    },
    deletion: { proofs: raw.deletion.proofs, purgeAfterMs: raw.deletion.purge_after },
    backups: {
      directory: backupDirectory(raw.backups.directory, catalogue, dataDirectory),
      isChosen: raw.backups.directory !== null,
      everyMs: raw.backups.every ?? undefined,
      keep: raw.backups.keep,
      restoreEveryMs: raw.backups.restore_every,
      checkEveryMs: raw.backups.check_every,
    },
    limits: {
      jsonBytes: raw.limits.json_bytes,
      connectionsPerAddress: raw.limits.connections_per_address,
      connections: raw.limits.connections,
      requestsPerUser: raw.limits.requests_per_user,
      floorRate: raw.limits.floor_rate,
    },
    trustedProxies: raw.trusted_proxies,
    metrics: raw.metrics,
    notifications: {
      url: secret(raw.notifications.url, raw.notifications.url_file, 'notifications.url_file'),
      token: secret(null, raw.notifications.token_file, 'notifications.token_file'),
      level: raw.notifications.level,
      windowMs: raw.notifications.window,
    },
    background,
    warnings: [...warnings, ...storeWarnings],
  }
}

function demandLevel(key: string, level: string): void {
  if (rankOf(level) === undefined) throw new LibrarianError('Configuration', `Cannot use ${key}: ${level} is no level`)
}

function sshHosts(hosts: RawSettings['rsync']['hosts'], directory: string): RsyncSettings['hosts'] {
  const inDirectory = (file: string | undefined) => file && resolve(directory, file)
  return Object.fromEntries(
    Object.entries(hosts).map(([name, { identity_file, known_hosts_file, ...host }]) => [
      name,
      { ...host, identityFile: inDirectory(identity_file), knownHostsFile: inDirectory(known_hosts_file) },
    ]),
  )
}

/** Default: beside the catalogue, wherever the server is run. */
function backupDirectory(named: string | null, catalogue: CatalogueSettings, dataDirectory: string): string {
  if (named !== null) return resolve(dataDirectory, named)
  return join(catalogue.engine === 'sqlite' ? dirname(catalogue.path) : dataDirectory, 'backups')
}
