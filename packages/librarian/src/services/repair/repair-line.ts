/** What the trail keeps of a repair: a catalogue that is made again must know what lies in the quarantine (reliability B5, G1). */
import type { File } from '../../catalogue/operations/instances.ts'
import type { Repair } from '../../catalogue/operations/repairs.ts'
import type { TrailRecord } from '../../stores/store.ts'

export function repairLineOf(
  { id, path, found, actor, started }: Repair,
  file: File,
  { source, sha256 }: { readonly source: string; readonly sha256: string },
): TrailRecord {
  const { name, kind, size, checksum, create_time, uploader } = file
  return {
    action: 'repair',
    // It says nothing of where the name's bytes are.
    order: 0,
    time: started,
    name,
    kind,
    size,
    checksum,
    sha256,
    is_attested: file.is_attested === 1,
    create_time,
    uploader,
    source: file.source,
    deletion_policy: 'DISALLOWED',
    repair: { id, path, found, source, actor },
  }
}
