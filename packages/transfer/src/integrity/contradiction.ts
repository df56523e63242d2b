/** A manifest and the catalogue of a data commons that say different things of one object (gen3 7.1). */
import type { Catalogued } from '../resource.ts'
import type { Checksum } from './checksum.ts'

/** Reason of the error that it is. */
export const CONTRADICTION = 'metadata_mismatch'

export interface Contradiction {
  /** `size`, or an algorithm. */
  readonly what: string
  readonly listed: string
  readonly catalogued: string
}

/** The first difference in what both name. */
export function contradictionOf(
  listed: { readonly size?: number | undefined; readonly checksums: readonly Checksum[] },
  catalogued: Catalogued,
): Contradiction | undefined {
  for (const { algorithm, value } of listed.checksums) {
    const other = catalogued.checksums.find(checksum => checksum.algorithm === algorithm)
    if (other && other.value !== value) return { what: algorithm, listed: value, catalogued: other.value }
  }
  const isOtherSize = listed.size !== undefined && catalogued.size !== undefined && listed.size !== catalogued.size
  return isOtherSize ? { what: 'size', listed: String(listed.size), catalogued: String(catalogued.size) } : undefined
}

/** `md5: the manifest says …, the commons says …`. */
export function contradictionText({ what, listed, catalogued }: Contradiction): string {
  return `${what}: the manifest says ${listed}, the commons says ${catalogued}`
}
