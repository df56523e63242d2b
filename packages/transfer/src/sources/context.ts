import type { CommonsOptions } from '../commons/options.ts'
import type { AddressesOptions } from '../http/addresses.ts'
import type { TlsOptions } from '../http/lane-options.ts'
import type { Origins } from '../http/origins.ts'
import type { HttpSourceOptions } from '../http/source-options.ts'
import type { FtpOptions, Timeouts } from '../options.ts'
import type { Source } from '../source.ts'
import type { GsOptions } from './gs/options.ts'
import type { S3Options } from './s3/options.ts'
import type { SftpOptions } from './sftp/options.ts'

/** What callers say of how sources are asked. */
export interface SourceOptions extends Omit<HttpSourceOptions, 'origins'> {
  readonly signal?: AbortSignal | undefined
  /** Connections for this resource. */
  readonly concurrency?: number | 'auto' | undefined
  readonly ftp?: FtpOptions | undefined
  readonly gs?: GsOptions | undefined
  readonly s3?: S3Options | undefined
  readonly sftp?: SftpOptions | undefined
  readonly commons?: CommonsOptions | (() => Promise<CommonsOptions>) | undefined
}

/** What a source may need of who opens it; each takes what it knows. */
export interface SourceContext {
  readonly options: SourceOptions
  /** Size, digest and name are known already: what would have to be asked for them need not be asked. */
  readonly isKnown?: boolean | undefined
  /** Bytes, if the caller said how many. */
  readonly size?: number | undefined
  /** What the engine's options say of every connection. */
  readonly timeouts?: Timeouts | undefined
  readonly tls?: TlsOptions | undefined
  /** What HTTP sources share; made when the first one is opened. */
  origins(): Promise<Origins>
  /**
   * What sources of one kind share for as long as the engine lives: connections, tokens, what was learnt of a bucket;
   * disposed of with the engine if they can be.
   */
  shared<T extends object>(key: string, make: () => T): T
  /** How names become addresses, where that is restricted; `origins` and `open` hold to it. */
  readonly addresses?: AddressesOptions | undefined
  /** The same, but its connections lead nowhere on this machine or a private network: for what somebody else named. */
  outside(): SourceContext
  /** Opens another URI, for sources whose bytes are elsewhere. */
  open(uri: string, options: SourceOptions): Promise<Source>
}

export type SourceFactory = (uri: string, context: SourceContext) => Source | Promise<Source>
