/**
 * The door for threads that work on local paths: what walks, hashes, names and unpacks, and nothing that knows of a network. A
 * thread has its own copy of every module it loads; the whole engine is several times as much as such a thread needs.
 *
 * @module
 */

export type { ArchiveEntry } from './archive/archive-entry.ts'
export { type ArchiveHandler, ArchiveReader } from './archive/archive-reader.ts'
export { TransferError } from './errors.ts'
export { MemberNames } from './names/member-names.ts'
export { describeTree, type TreeDescription, type TreeMember } from './paths/describe-tree.ts'
export {
  createPathHasher,
  digestBytesBy,
  loadPathFunctions,
  type PathDigests,
  type PathFunction,
  type PathHasher,
} from './paths/path-digests.ts'
export { printable } from './redact.ts'
export { allocateShared } from './shared-memory.ts'
