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
  | 'blake3'
  | 's3_etag'
  | 'null'

/** Which bytes a digest speaks of: the stored object, the concatenated part digests, or this answer's body only. */
export type Coverage = 'object' | 'composite' | 'body'

/** A digest that a source named beside its bytes. */
export interface OfferedChecksum {
  readonly algorithm: Algorithm
  /** Normalised: lower-case hex; for `s3_etag`, hex with an optional `-n`. */
  readonly value: string
  readonly coverage: Coverage
  /** Where it was found, e.g. `x-goog-hash` or `Repr-Digest`. */
  readonly origin: string
}
