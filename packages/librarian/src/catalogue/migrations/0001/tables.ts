import type { Definitions } from '../../definitions.ts'
import { commitTables } from './commits.ts'
import { coordinationTables } from './coordination.ts'
import { damageTables } from './damage.ts'
import { deletionTables } from './deletion.ts'
import { diskTables } from './disks.ts'
import { fileTables } from './files.ts'
import { peerTables } from './peers.ts'
import { recordTables } from './records.ts'
import { transferTables } from './transfers.ts'
import { words } from './words.ts'
import { workTables } from './work.ts'

/** Tables and their indexes, what is referred to first. Foreign keys restrict; nothing cascades. */
export function tables(define: Definitions): string[] {
  return areas.flatMap(area => area(words(define)))
}

const areas = [
  fileTables,
  peerTables,
  transferTables,
  commitTables,
  damageTables,
  deletionTables,
  workTables,
  diskTables,
  recordTables,
  coordinationTables,
]
