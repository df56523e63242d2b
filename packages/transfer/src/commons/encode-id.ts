/**
 * Ids in paths (gen3 5.3). DRS wants every character encoded; Gen3 takes slashes as they are, and some of the proxies in
 * front of it refuse `%2F`. The spelling that worked at a host is tried first there.
 */
export type IdSpelling = 'raw' | 'encoded'

export function encodeId(id: string, spelling: IdSpelling): string {
  return spelling === 'encoded' ? encodeURIComponent(id) : id.split('/').map(encodeURIComponent).join('/')
}

/** Both spellings where they differ, the likelier one first. */
export function idSpellings(id: string, isGen3: boolean, known?: IdSpelling): IdSpelling[] {
  const first = known ?? (isGen3 ? 'raw' : 'encoded')
  if (!id.includes('/')) return [first]
  return first === 'raw' ? ['raw', 'encoded'] : ['encoded', 'raw']
}
