import type { Checksum, OfferedChecksum } from './integrity/checksum.ts'

/** A byte range, end exclusive. */
export interface Range {
  readonly start: number
  readonly end: number
}

/** An entity tag without its quotes (RFC 9110, 8.8.3). */
export interface EntityTag {
  readonly value: string
  readonly isWeak: boolean
}

/** What a data commons says of an object, wherever its bytes are. */
export interface Catalogued {
  readonly size?: number | undefined
  readonly checksums: readonly Checksum[]
}

/** What is known of one thing at a source (retrieval 4). */
export interface Resource {
  /** Bytes; undefined when the source cannot say before the end. */
  readonly size: number | undefined
  /** Whether parts can be read: proven by a 206, disproven by a 200 to a ranged request, else unproven. */
  readonly ranges: 'yes' | 'no' | 'unproven'
  readonly etag?: EntityTag | undefined
  /** Milliseconds since 1970. */
  readonly lastModified?: number | undefined
  /** The server's clock when it answered, milliseconds since 1970. */
  readonly date?: number | undefined
  /** Version id (S3) or generation (GCS). */
  readonly version?: string | undefined
  /** What the source says of the content's digests, in the order of the answer. */
  readonly checksums: readonly OfferedChecksum[]
  /** What the catalogue says that named this place; undefined where no catalogue was asked. */
  readonly catalogued?: Catalogued | undefined
  /** A file name that the source suggests; an outside name, not yet sanitised. */
  readonly name?: string | undefined
  readonly contentType?: string | undefined
  /** A coding other than identity, as sent. */
  readonly contentEncoding?: string | undefined
  /**
   * The source takes `contentEncoding` off while it pours: what lands is not what is stored, and neither size nor
   * checksums of the stored bytes speak of it (retrieval 8.4).
   */
  readonly isDecoded?: boolean | undefined
  /**
   * With `isDecoded`: what the source itself holds the stored bytes to while it decodes them. A `fetch` of the whole that
   * resolves has compared them; one that met others rejects with ChecksumMismatch.
   */
  readonly storedChecksums?: readonly OfferedChecksum[] | undefined
  /** Where redirects ended, unredacted: never print it. */
  readonly resolvedUrl?: string | undefined
  /** When `resolvedUrl` dies, milliseconds since 1970. */
  readonly expiresAt?: number | undefined
}
