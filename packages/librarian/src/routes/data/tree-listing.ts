import type { DataTree } from '../../services/data.ts'
import { pathOfName } from './path.ts'

/** What a tree holds, as JSON: enough to fetch and prove every member, and to make what holds none. */
export function treeListing({ path, size, checksum, digests, members, directories }: DataTree): string {
  return JSON.stringify({
    name: path,
    kind: 'tree',
    size,
    checksum: checksum ?? null,
    sha256: digests.sha256 ?? null,
    directories,
    members: [...members.values()].map(member => ({
      path: member.path,
      size: member.size,
      sha256: member.sha256,
      url: `/api/v2/data/${pathOfName(`${path}/${member.path}`)}`,
    })),
  })
}
