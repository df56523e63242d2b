import { type BundleRecord, bundleMd5 } from './records.ts'
import type { CommonsState } from './state.ts'

/** Bytes of all objects below; an object that is met again is not counted again, nor a bundle that holds itself. */
export function bundleSize(state: CommonsState, bundle: BundleRecord, met = new Set<string>()): number {
  met.add(bundle.guid)
  let size = 0
  for (const { id } of bundle.contents) {
    const child = state.records.get(id)
    if (!child || met.has(id)) continue
    met.add(id)
    size += child.form === 'bundle' ? bundleSize(state, child, met) : (child.size ?? 0)
  }
  return size
}

/** As given, or by the rule of gen3 9.2. */
export function bundleDigest(
  state: CommonsState,
  bundle: BundleRecord,
  met = new Set<string>(),
): Readonly<Record<string, string>> {
  if (bundle.hashes === false || met.has(bundle.guid)) return {}
  if (bundle.hashes) return bundle.hashes
  const above = new Set([...met, bundle.guid])
  const children = bundle.contents.map(({ id }) => {
    const child = state.records.get(id)
    return child?.form === 'bundle' ? bundleDigest(state, child, above).md5 : child?.hashes.md5
  })
  const md5 = bundleMd5(children)
  return md5 === undefined ? {} : { md5 }
}
