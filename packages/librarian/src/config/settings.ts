/** The settings of one librarian, parsed and complete: what the parts of the server are made with (librarian 13). */
import type { SshHost } from '@arriero/transfer'
import type { BackgroundSettings } from './background.ts'
import type { Secret } from './secret.ts'

export interface Settings {
  /** This librarian's own name, by which its peers know it (librarian 5.5). */
  readonly name: string
  /** Whether the OpenAPI document and its page are served. */
  readonly debug: boolean
  /** Fernet key for peers' credentials (librarian 5.4). */
  readonly encryptionKey: Secret | undefined
  readonly catalogue: CatalogueSettings
  readonly logLevel: LogLevel
  readonly displayedSiteName: string
  readonly displayedSiteDescription: string
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  /** Of a worker, for `/metrics` and `/health`. */
  readonly workerHost: string
  /** Undefined: it listens to nobody. 0: any free one. */
  readonly workerPort: number | undefined
  readonly addStores: readonly StoreSettings[]
  /** Most results of a search. */
  readonly maxSearchResults: number
  readonly maximalUploadSize: number
  readonly maxAsyncSendRetries: number
  readonly maxAsyncInflightTransfers: number
  readonly log: LogSettings
  readonly globus: GlobusSettings
  readonly rsync: RsyncSettings
  readonly checksumThreads: number
  /** How long a computed checksum may answer an interactive question, while the file looks unchanged. */
  readonly checksumTimeoutMs: number
  readonly role: Role
  /** Where the embedded catalogue lives, and whatever else needs a place of its own. Absolute. */
  readonly dataDirectory: string
  readonly ingest: IngestSettings
  readonly deletion: DeletionSettings
  readonly backups: BackupSettings
  readonly limits: Limits
  /** Addresses of proxies whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly string[]
  readonly metrics: MetricsSettings
  readonly notifications: NotificationSettings
  readonly background: BackgroundSettings
  /** What was odd about the settings, for the log. */
  readonly warnings: readonly string[]
}

export type CatalogueSettings =
  | { readonly engine: 'sqlite'; readonly path: string }
  | { readonly engine: 'postgres'; readonly url: Secret }

/** `api` answers requests, `worker` does background work, `all` both. */
const roles = ['api', 'worker', 'all'] as const
export type Role = (typeof roles)[number]

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const
export type LogLevel = (typeof logLevels)[number]

export interface StoreSettings {
  readonly name: string
  readonly ingestable: boolean
  readonly type: 'local' | 's3'
  /** As written (librarian 7.1), with `name`; the store's own code parses it. */
  readonly data: Readonly<Record<string, unknown>>
  readonly transferManagers: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly asyncTransferManagers: Readonly<Record<string, Readonly<Record<string, unknown>>>> | undefined
}

export interface LogSettings {
  /** Absolute path to rotation text (`500 MB`, `1 week`). */
  readonly files: Readonly<Record<string, string>>
  readonly slackEnabled: boolean
  readonly slackUrl: Secret | undefined
  readonly slackLevel: string
}

export interface MetricsSettings {
  /** Addresses and networks that may scrape without an account. Default: this machine. */
  readonly addresses: readonly string[]
}

/** What people are told of severe lines of the log, wherever it goes. */
export interface NotificationSettings {
  /** Which takes JSON. Undefined: none. */
  readonly url: Secret | undefined
  /** Sent with it as a bearer's. */
  readonly token: Secret | undefined
  /** Of this and worse. Default `ERROR`. */
  readonly level: string
  /** The same message again within it is counted, and told at its end; of Slack, too. Default 5 minutes. */
  readonly windowMs: number
}

export interface GlobusSettings {
  readonly enable: boolean
  readonly clientId: string
  readonly nativeApp: boolean
  readonly localEndpointId: string
  readonly localRoot: string | undefined
  readonly encryptTransfers: boolean
  readonly clientSecret: Secret | undefined
}

/** Machines that rsync may send to over ssh, by the hostname that their librarians offer. Default none. */
export interface RsyncSettings {
  readonly hosts: Readonly<Record<string, SshHost>>
}

/** What users may have the server fetch: nothing unless listed (reliability 6). */
export interface IngestSettings {
  /** Exact host names, or `*.example.org` for everything below it. */
  readonly hosts: readonly string[]
  /** Default 443. */
  readonly ports: readonly number[]
  /** Default https. */
  readonly schemes: readonly IngestScheme[]
  /** Networks that are not public and may be reached all the same, as `10.1.0.0/16`. Default none. */
  readonly networks: readonly string[]
  /** By the names that jobs say. */
  readonly credentials: Readonly<Record<string, IngestCredentials>>
  /** Items of a job at once. Default 8. */
  readonly itemsAtOnce: number
  /** Jobs at once, of one process. Default 2. */
  readonly jobsAtOnce: number
}

/** What the deletion gate asks (reliability B1, B2). */
export interface DeletionSettings {
  /** Good copies on other devices that must remain. Default 2, least 1. */
  readonly proofs: number
  /** How long a deleted copy can be restored. Default 7 days. */
  readonly purgeAfterMs: number
}

/** Of the catalogue in a file (reliability G3). */
export interface BackupSettings {
  /** Absolute. Default: `backups` beside the catalogue, and so on its disk. */
  readonly directory: string
  /** Whether the settings name it: then it must be there, since a missing one is a disk that is not mounted. */
  readonly isChosen: boolean
  /** Undefined: none are made. Default an hour. */
  readonly everyMs: number | undefined
  /** Beyond so many the oldest go; the newest that was restored and found good stays. Default 48. */
  readonly keep: number
  /** The newest is restored and checked so often. Default a day. */
  readonly restoreEveryMs: number
  /** The catalogue itself is read in full so often. Default 7 days. */
  readonly checkEveryMs: number
}

export type IngestScheme = 'https' | 'http' | 's3' | 'gs' | 'drs'

/** Secrets are in files of their own, read when a job needs them, and shown to `hosts` only. */
export type IngestCredentials =
  | {
      readonly kind: 'basic'
      readonly hosts: readonly string[]
      readonly username: string
      readonly password_file: string
    }
  | { readonly kind: 'bearer'; readonly hosts: readonly string[]; readonly token_file: string }
  | {
      readonly kind: 's3'
      readonly access_key_id: string
      readonly secret_access_key_file: string
      readonly endpoint?: string | undefined
      readonly region?: string | undefined
    }
  | { readonly kind: 'gs'; readonly credentials_file: string }
  | { readonly kind: 'drs'; readonly credentials_file: string }

export interface Limits {
  /** Of a JSON body. Default 1 MiB. */
  readonly jsonBytes: number
  /** Connections of one address, which may be a proxy with everybody behind it. Default 1024. */
  readonly connectionsPerAddress: number
  /** Connections of all. Default 4096. */
  readonly connections: number
  /** Requests of one user at a time: an instrument with hundreds of uploads under way is one. Default 512. */
  readonly requestsPerUser: number
  /** A body slower than this for a whole minute is cut off; bytes per second. Default 1024. */
  readonly floorRate: number
}
