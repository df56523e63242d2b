/** Digest algorithms by the names that manifests and flags use (retrieval 11.1). */
export type Algorithm =
  | 'md5'
  | 'sha1'
  | 'sha256'
  | 'sha512'
  | 'crc32'
  | 'crc32c'
  | 'crc64nvme'
  | 'adler32'
  | 'xxh3'
  | 'xxh128'
  | 'blake3'
  | 's3_etag'
  | 'null'

/** Which bytes a digest speaks of: the stored object, the concatenated part digests, or this answer's body only. */
export type Coverage = 'object' | 'composite' | 'body'

/** One digest of one algorithm. */
export interface Checksum {
  readonly algorithm: Algorithm
  /**
   * Normalised: lower-case hex. `hex-n` is a composite: the digest of n concatenated part digests, the form of
   * S3's multipart ETags and composite checksums. Empty for `null`.
   */
  readonly value: string
}

/** A digest that a source named beside its bytes. */
export interface OfferedChecksum extends Checksum {
  readonly coverage: Coverage
  /** Where it was found, e.g. `x-goog-hash` or `Repr-Digest`. */
  readonly origin: string
  /** Bytes of every part but the last, for a composite whose layout the source told. */
  readonly partSize?: number | undefined
}
