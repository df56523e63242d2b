import type { Algorithm, Checksum } from './checksum.ts'

/** Who said what the content should be, strongest first (retrieval 11.2). */
export type Authority = 'caller' | 'manifest' | 'source'

/** A digest that the content is held to. */
export interface Expectation extends Checksum {
  readonly authority: Authority
  /** Where it was found: `--checksum`, `manifest`, or a header's name. */
  readonly origin: string
  /** Bytes of every part but the last, for a composite whose layout is known. */
  readonly partSize?: number | undefined
}

/** One comparison that was made. */
export interface Check extends Expectation {
  /** What the received bytes gave; undefined when this could not be computed, e.g. an ETag whose part size is unknown. */
  readonly actual: string | undefined
  /** `unverifiable` is never proof: it could not be computed, or differs from what was only a guess (retrieval 11.3). */
  readonly outcome: 'match' | 'mismatch' | 'unverifiable'
}

/** What was proven of one resource, and how. */
export interface Verification {
  /** Bytes received. */
  readonly size: number
  /** The source or the caller stated this size, and it held. */
  readonly lengthVerified: boolean
  /** Every comparison, strongest first. Empty: size only. */
  readonly checks: readonly Check[]
  /** `checksum`; `bytes`: compared one by one; `size`; or `none` when not even the length was known. */
  readonly proof: 'checksum' | 'bytes' | 'size' | 'none'
  /** What a manifest said otherwise than the commons; only with `trustCommons`. */
  readonly contradiction?: string | undefined
  /** Digests that were computed, by algorithm, as hex. */
  readonly digests: Readonly<Partial<Record<Algorithm, string>>>
}
