/** A running digest. One shape for every algorithm; bytes may be views over shared memory and are never changed. */
export interface Hasher {
  update(bytes: Uint8Array): void
  /** The digest, big-endian for CRCs. Ends the hasher. */
  digest(): Uint8Array
}
