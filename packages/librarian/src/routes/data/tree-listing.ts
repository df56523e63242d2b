import type { TreeMembers } from '../../services/data/tree-members.ts'
import type { DataTree } from '../../services/data.ts'
import { hashOf } from './etag.ts'
import { pathOfName } from './path.ts'

export interface TreeListing {
  readonly bytes: Buffer
  /** Hex. */
  readonly sha256: string
}

/** As long as the members themselves are kept: all who ask for a large tree are sent the same bytes, which take long to make. */
const made = new WeakMap<TreeMembers, TreeListing>()

/** What a tree holds, as JSON: enough to fetch and prove every member, and to make what holds none. */
export function treeListing(tree: DataTree): TreeListing {
  const known = made.get(tree.members)
  if (known) return known
  const text = textOf(tree)
  const listing = { bytes: Buffer.from(text), sha256: hashOf(text) }
  made.set(tree.members, listing)
  return listing
}

function textOf({ path, size, checksum, digests, members, directories }: DataTree): string {
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
