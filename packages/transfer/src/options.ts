/** What callers may say, in one place with every default (retrieval 4–12, 16). */
import type { CommonsOptions } from './commons/options.ts'
import type { EventLevel, TransferEvent } from './events.ts'
import type { HooksOption } from './hooks.ts'
import type { Algorithm } from './integrity/checksum.ts'
import type { Entry } from './manifest/entry.ts'
import type { Reach } from './reach.ts'
import type { Range } from './resource.ts'
import type { Engine } from './shared-engine.ts'
import type { GsOptions } from './sources/gs/options.ts'
import type { S3Options } from './sources/s3/options.ts'
import type { SftpOptions } from './sources/sftp/options.ts'

/** Limits that hold for everything one engine does. */
export interface EngineOptions {
  /** Most bytes for all slots; no more is used than the path needs. Default: 1 GiB, at most a quarter of what is available. */
  readonly memoryBudget?: number | undefined
  /** Most connections per origin, across all files. Default 16. */
  readonly connections?: number | undefined
  /** Most connections of the process. Default 128. */
  readonly totalConnections?: number | undefined
  /** Bytes per second for everything; default unlimited. */
  readonly limitRate?: number | undefined
  /** Bytes per second of each origin; default unlimited. */
  readonly limitRatePerOrigin?: number | undefined
  readonly timeouts?: Timeouts | undefined
  /** Threads for slow digests. Default: the cores, at most 4. */
  readonly hashWorkers?: number | undefined
  /** Threads for the caller's own functions: stages of pipelines, and hooks given by module. Default: the cores. */
  readonly cpuWorkers?: number | undefined
  /** Most bytes of the heap of such a thread; a function that needs more fails. Default: V8's own limit. */
  readonly cpuWorkerHeap?: number | undefined
  /** Honour HTTP_PROXY, HTTPS_PROXY and NO_PROXY. Default false; the program says true. */
  readonly proxyFromEnvironment?: boolean | undefined
  /** Where HTTP may lead, for a server that fetches what its users name. Default: anywhere. */
  readonly reach?: Reach | undefined
  /** Extra certificate authorities, PEM. */
  readonly ca?: string | undefined
  /** Accept any certificate; loud, and recorded in the result. Default false. */
  readonly insecure?: boolean | undefined
  /** Receives every event of `eventLevel` and above. */
  readonly onEvent?: ((event: TransferEvent) => void) | undefined
  /** Default `TRACE`. Of many small files the lesser events cost as much as a part of the transfer. */
  readonly eventLevel?: EventLevel | undefined
}

/** A digest as callers write it: `{algorithm, value}`, `sha256:HEX` or `sha512-BASE64`. */
export type ChecksumInput = string | { readonly algorithm: string; readonly value: string }

/** What every way of consuming a resource understands. */
export interface FetchOptions {
  /** Shares limits, memory and connections with other calls. Default: one of its own, closed at the end. */
  readonly engine?: Engine | undefined
  readonly signal?: AbortSignal | undefined
  /** Sent to the resource's own origin and, unless secret, to where it redirects. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Names of headers that must never reach another origin. Authorization, Cookie and the like always are secret. */
  readonly secretHeaders?: readonly string[] | undefined
  /** How `s3://` addresses are read. */
  readonly s3?: S3Options | undefined
  /** Other places of the very same bytes. */
  readonly mirrors?: readonly string[] | undefined
  /** Bytes, if known; another size at the source fails before anything is transferred. */
  readonly size?: number | undefined
  /** Let the source's size win over `size`. Default false. */
  readonly trustServerSize?: boolean | undefined
  /**
   * Let what a data commons says of size and digests win over a manifest that says otherwise; the difference is told
   * in `verification.contradiction`. Costs a question to the commons for each object. Default false: such a row fails.
   */
  readonly trustCommons?: boolean | undefined
  /** All must match. */
  readonly checksums?: readonly ChecksumInput[] | undefined
  /** Compute these too, without comparing. */
  readonly digests?: readonly Algorithm[] | undefined
  /** Fail with Unverifiable when nothing but the size could be checked. Default false. */
  readonly requireChecksum?: boolean | undefined
  /** Connections for this resource: 1, at most n, or `auto` (default). */
  readonly concurrency?: number | 'auto' | undefined
  /** Bytes per part; default `auto`: 8 MiB to begin with. */
  readonly partSize?: number | 'auto' | undefined
  /** Attempts for a part that makes no progress. Default 8. */
  readonly retries?: number | undefined
  /** Longest Retry-After that is obeyed, ms. Default 300,000. */
  readonly maxRetryAfterMs?: number | undefined
  /** Bytes per second under which a lone connection is given up after 20 s. Default 1 KiB/s. */
  readonly lowSpeedLimit?: number | undefined
  /** How entity tags that differ between nodes are taken. Default `strict`. */
  readonly etagPolicy?: 'strict' | 'size+mtime' | 'ignore-if-checksum' | undefined
  /** Store a content-coded body as it was sent. Default false: it is decoded. */
  readonly keepEncoding?: boolean | undefined
  /** Accept a body whose end only the closed connection tells. Default false. */
  readonly allowUnverifiedLength?: boolean | undefined
  /** Follow redirects from https to http. Default false. */
  readonly allowDowngrade?: boolean | undefined
  /** Fetch only these bytes. */
  readonly range?: Range | undefined
  /**
   * Data commons: credentials, the home commons, and what is preferred; a function is asked when the first object is met.
   * The first call of an engine decides for all.
   */
  readonly commons?: CommonsOptions | (() => Promise<CommonsOptions>) | undefined
  /** The caller's own code at every stage: an object, a class or function that makes one, or several in order. */
  readonly hooks?: HooksOption | undefined
  /** For gs URIs. */
  readonly gs?: GsOptions | undefined
  /** How `sftp://` connections are made. */
  readonly sftp?: SftpOptions | undefined
  /** For ftp and ftps. */
  readonly ftp?: FtpOptions | undefined
}

/** How FTP servers are spoken to; said to every one that a call names. */
export interface FtpOptions {
  /** Login name, where the URL has none. Default `anonymous`. */
  readonly user?: string | undefined
  readonly password?: string | undefined
  /**
   * `explicit`: the connection is secured by AUTH TLS (RFC 4217), also for `ftp:`, or fails. `implicit`: TLS from the
   * first byte. Default: none for `ftp:`; for `ftps:` implicit, port 990, but explicit on port 21.
   */
  readonly tls?: 'explicit' | 'implicit' | undefined
  /** Below TLS, leave the content in the clear (PROT C). Default false. */
  readonly isDataClear?: boolean | undefined
}

/** A whole transfer has no time limit (deadlines follow progress); give a `signal` to set one. */
export interface Timeouts {
  /** Default 10,000. */
  readonly connectMs?: number | undefined
  /** Default 30,000. */
  readonly firstByteMs?: number | undefined
  /** Default 30,000. */
  readonly idleMs?: number | undefined
}

/**
 * What is done when the target exists (retrieval 10.6). A name alone never proves anything. `repair`: what is there is kept
 * if it is what was asked for, by its digest or, where none was stated, its size; else it is replaced.
 */
export type IfExists = 'error' | 'skip' | 'overwrite' | 'rename' | 'verify' | 'repair'

/** `data`: content and name are on stable storage before success is told; `none`: the result says `isDurable: false`. */
export type Durability = 'data' | 'none'

/** Options of everything that makes a file. */
export interface FileOptions {
  /** Default `error`. */
  readonly ifExists?: IfExists | undefined
  /** Continue what an earlier run left. Default true. */
  readonly resume?: boolean | undefined
  /** How blocks of an earlier run are checked before they are trusted. Default `all`. */
  readonly resumeVerify?: 'all' | 'sample' | 'none' | undefined
  /** Trust a weak validator (size and time) for resuming. Default false. */
  readonly allowWeakResume?: boolean | undefined
  /** Default `data`. */
  readonly durability?: Durability | undefined
  /** Set the file's time from Last-Modified. Default false. */
  readonly preserveTime?: boolean | undefined
}

export interface DownloadOptions extends FetchOptions, FileOptions {}

/** Memory modes. */
export interface ReadOptions extends FetchOptions {
  /** Refuse resources larger than this. Default 1 GiB. */
  readonly maxMemoryBytes?: number | undefined
}

/** Ordered modes. */
export interface StreamOptions extends FetchOptions {
  /** Bytes that may wait for the consumer. Default 8 parts. */
  readonly readAhead?: number | undefined
  /** Hand out copies that stay valid; default false: a view is valid until the next step. */
  readonly copy?: boolean | undefined
}

export interface DownloadAllOptions extends DownloadOptions {
  /** Names of entries are resolved inside it. Default: the current directory. */
  readonly directory?: string | undefined
  /** Files at once. Default: up to 8 large ones; small ones up to the connection limit. */
  readonly transfers?: number | undefined
  /** Which waiting entry goes first. Default `size`: small ones first, the largest early on a connection of its own. */
  readonly order?: 'size' | 'name' | 'manifest' | undefined
  /** Order of the results. Default `completed`. */
  readonly resultOrder?: 'completed' | 'manifest' | undefined
  /** Entries read ahead of the transfers. Default 10,000. */
  readonly maxBacklog?: number | undefined
  /** Go on after a failed entry. Default true; false stops starting new ones. */
  readonly continueAfterError?: boolean | undefined
  /** Which failures stop them then. Default: all. */
  readonly isEnd?: ((error: unknown) => boolean) | undefined
  /**
   * The path of an entry that has none, relative to the directory, given the name that its source suggests. A throw fails
   * the entry. Default: that name.
   */
  readonly pathFor?: ((entry: Entry, name: string) => string) | undefined
  /** The caller sees to it that no two entries get one path where they must not. Default false: it is checked here. */
  readonly arePathsPlanned?: boolean | undefined
  /** The caller has asked `onFile` of every entry. Default false: it is asked here. */
  readonly areFilesAsked?: boolean | undefined
}
