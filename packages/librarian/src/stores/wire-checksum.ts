import type { PathDigests, PathFunction } from '@arriero/transfer'

/** The function that a wire checksum names; without one it is an md5 of old (librarian 6.1). Default: xxh3. */
export function functionOf(checksum: string | undefined): PathFunction {
  if (checksum === undefined) return 'xxh3'
  return (/^(md5|xxh3|sha1|sha256|sha512):::/.exec(checksum)?.[1] as PathFunction | undefined) ?? 'md5'
}

/** What was computed, in the form of `checksum`, so that the two compare as text. */
export function inFormOf(checksum: string | undefined, digests: PathDigests): string {
  const name = functionOf(checksum)
  const hex = digests[name]
  if (hex === undefined) throw new Error(`Cannot compare ${checksum}: ${name} must have been computed`)
  return checksum === undefined || checksum.startsWith(`${name}:::`) ? `${name}:::${hex}` : hex
}

/** What to compute for a work: the sender's function, and ours. */
export function functionsFor(checksum: string | undefined): readonly PathFunction[] {
  const name = functionOf(checksum)
  return name === 'sha256' ? ['sha256'] : [name, 'sha256']
}
