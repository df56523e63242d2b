import type { Resource } from '../../resource.ts'
import type { ResourceVersion } from '../state/state.ts'

export function versionOf({ size, etag, lastModified, version }: Resource): ResourceVersion | undefined {
  const strong = etag && !etag.isWeak ? etag.value : undefined
  if (strong === undefined && lastModified === undefined && version === undefined) return undefined
  return { size, etag: strong, lastModified, version }
}

/** Something that tells versions apart is the same in both, and nothing differs. */
export function isSameVersion(a: ResourceVersion, b: ResourceVersion | undefined): boolean {
  if (!b || a.size !== b.size) return false
  const marks = (['etag', 'version', 'lastModified'] as const).filter(
    mark => a[mark] !== undefined && b[mark] !== undefined,
  )
  return marks.length > 0 && marks.every(mark => a[mark] === b[mark])
}
