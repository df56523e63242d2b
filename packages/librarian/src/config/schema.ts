/** The keys of a settings file (librarian 13.1), and after them our own. Their names and defaults are fixed by existing files. */

import { z } from 'zod'
import { backupSchema } from './backup-schema.ts'
import { duration } from './duration.ts'
import { ingestSchema } from './ingest-schema.ts'
import { notificationSchema } from './notification-schema.ts'
import { rsyncSchema } from './rsync-schema.ts'
import { bool, int } from './values.ts'

const optional = z.string().nullable().default(null)
const objects = z.record(z.string(), z.record(z.string(), z.unknown()))

/** Unknown keys are dropped here, with a warning, as existing files rely on. */
export const storeSchema = z.object({
  store_name: z.string().min(1),
  ingestable: bool,
  store_type: z.enum(['local', 's3']),
  store_data: z.record(z.string(), z.unknown()),
  transfer_manager_data: objects,
  async_transfer_manager_data: objects.nullable().default(null),
})

const logSettingsSchema = z.strictObject({
  files: z.record(z.string(), z.string()).default({}),
  slack_webhook_enable: bool.default(false),
  slack_webhook_url: optional,
  slack_webhook_url_file: optional,
  slack_webhook_level: z.string().default('ERROR'),
})

const levels: Readonly<Record<string, string>> = {
  warning: 'warn',
  critical: 'fatal',
  success: 'info',
  notset: 'trace',
}
const logLevel = z.preprocess(
  value => (typeof value === 'string' ? (levels[value.toLowerCase()] ?? value.toLowerCase()) : value),
  z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']),
)

const port = int.pipe(z.int().min(0).max(65_535))
const count = int.pipe(z.int().min(1))

const known = {
  name: z.string().min(1).max(256).default('librarian_server'),
  // Existing servers publish their API's description unless told otherwise; ours only when told to (librarian 10.11).
  debug: bool.default(false),
  encryption_key: optional,
  encryption_key_file: optional,
  database_driver: z.string().default('sqlite'),
  database_user: optional,
  database_password: optional,
  database_password_file: optional,
  database_host: optional,
  database_port: port.nullable().default(null),
  database: optional,
  log_level: logLevel.default('info'),
  displayed_site_name: z.string().default('Untitled Librarian'),
  displayed_site_description: z.string().default('No description set.'),
  host: z.string().min(1).default('0.0.0.0'),
  port: port.default(8080),
  add_stores: z.array(z.unknown()).default([]),
  // Of another migration tool; read so that existing files are accepted.
  alembic_config_path: z.string().default('.'),
  alembic_path: z.string().default('alembic'),
  max_search_results: int.pipe(z.int().min(0)).default(64),
  maximal_upload_size_bytes: int.pipe(z.int().min(0)).default(50_000_000_000),
  max_async_send_retries: int.default(3),
  max_async_inflight_transfers: int.default(64),
  log_settings: logSettingsSchema.prefault({}),
  globus_enable: bool.default(false),
  globus_client_id: z.string().default(''),
  globus_client_native_app: bool.default(false),
  globus_local_endpoint_id: z.string().default(''),
  globus_local_root: optional,
  globus_encrypt_transfers: bool.default(true),
  globus_client_secret: optional,
  globus_client_secret_file: optional,
  checksum_threads: count.default(4),
  checksum_timeout: duration.default(24 * 3600 * 1000),
}

const ours = {
  /** `sqlite:PATH` or `postgres://user:password@host:port/name`; instead of the database_ keys. */
  catalogue: optional,
  role: z.enum(['api', 'worker', 'all']).default('all'),
  /** Of a process that answers no calls: where it is asked how it is. */
  worker_host: z.string().min(1).default('127.0.0.1'),
  worker_port: port.nullable().default(null),
  data_directory: optional,
  ingest: ingestSchema.prefault({}),
  deletion: z
    .strictObject({ proofs: count.default(2), purge_after: duration.default(7 * 24 * 3600 * 1000) })
    .prefault({}),
  backups: backupSchema.prefault({}),
  rsync: rsyncSchema.prefault({}),
  limits: z
    .strictObject({
      json_bytes: count.default(1024 * 1024),
      connections_per_address: count.default(1024),
      connections: count.default(4096),
      requests_per_user: count.default(512),
      floor_rate: count.default(1024),
    })
    .prefault({}),
  trusted_proxies: z.array(z.string()).default([]),
  metrics: z.strictObject({ addresses: z.array(z.string()).default(['127.0.0.0/8', '::1']) }).prefault({}),
  notifications: notificationSchema.prefault({}),
  background: z.record(z.string(), z.unknown()).nullable().default(null),
}

export const settingsSchema = z.strictObject({ ...known, ...ours })

export type RawSettings = z.output<typeof settingsSchema>

export const settingsKeys = Object.keys(settingsSchema.shape) as readonly (keyof RawSettings)[]

export const backgroundPrefix = 'LIBRARIAN_BACKGROUND_'
export const serverPrefix = 'LIBRARIAN_SERVER_'
