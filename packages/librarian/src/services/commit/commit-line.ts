/** The line of a trail for a copy that is kept already: on a new disk, or of an older installation. */
import type { File } from '../../catalogue/operations/instances.ts'
import type { TrailRecord } from '../../stores/store.ts'

export type CommitLineMore = Pick<TrailRecord, 'order' | 'time' | 'is_attested' | 'deletion_policy' | 'manifest'>

export function commitLineOf(
  file: File,
  { order, time, is_attested, deletion_policy, manifest }: CommitLineMore,
): TrailRecord {
  const { name, kind, size, checksum, sha256, create_time, uploader, source, first_uploader } = file
  return {
    action: 'commit',
    order,
    time,
    name,
    kind,
    size,
    checksum,
    sha256,
    is_attested,
    create_time,
    uploader,
    source,
    deletion_policy,
    ...(first_uploader === null ? {} : { first_uploader }),
    ...(manifest === undefined ? {} : { manifest }),
  }
}
