/**
 * The tables of the catalogue. Names are singular; the views that people's own SQL reads have the plural names and the
 * columns of librarian 3 (`files`, `instances`, `store_metadata`, …), so that existing dashboards keep working.
 *
 * Times are instants (`Instant` of the wire package): text in UTC. Booleans are 0 or 1. States are the upper-case names of
 * librarian 2. Digests are write-once (reliability A7).
 */
import type { CommitTables } from './schema/commits.ts'
import type { CoordinationTables } from './schema/coordination.ts'
import type { DamageTables } from './schema/damage.ts'
import type { DeletionTables } from './schema/deletion.ts'
import type { DiskTables } from './schema/disks.ts'
import type { FileTables } from './schema/files.ts'
import type { PeerTables } from './schema/peers.ts'
import type { RecordTables } from './schema/records.ts'
import type { TransferTables } from './schema/transfers.ts'
import type { WorkTables } from './schema/work.ts'

export type * from './schema/commits.ts'
export type * from './schema/coordination.ts'
export type * from './schema/damage.ts'
export type * from './schema/deletion.ts'
export type * from './schema/disks.ts'
export type * from './schema/files.ts'
export type * from './schema/peers.ts'
export type * from './schema/records.ts'
export type * from './schema/transfers.ts'
export type * from './schema/values.ts'
export type * from './schema/work.ts'

/** All tables. */
export interface Schema
  extends FileTables,
    PeerTables,
    TransferTables,
    CommitTables,
    DamageTables,
    DeletionTables,
    WorkTables,
    DiskTables,
    RecordTables,
    CoordinationTables {}
