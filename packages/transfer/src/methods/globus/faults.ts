/** Faults that no patience mends (librarian 9.3). Of all others the service recovers by itself. */
import type { GlobusDocument } from './exchange.ts'

export const fatalFaults: ReadonlySet<string> = new Set([
  'AMBIGUOUS_PATH',
  'IS_A_DIRECTORY',
  'EXPIRED',
  'FILE_NOT_FOUND',
  'FILE_SIZE_CHANGED',
  'INVALID_PATH_NAME',
  'INVALID_SERVICE_CREDENTIAL',
  'INVALID_SYMLINK',
  'LIMIT_EXCEEDED',
  'NO_CREDENTIALS',
  'NO_SPACE_LEFT',
  'PERMISSION_DENIED',
  'QUOTA_EXCEEDED',
])

export function fatalFaultIn(events: readonly GlobusDocument[]): GlobusDocument | undefined {
  return events.find(({ code, is_error }) => is_error !== false && typeof code === 'string' && fatalFaults.has(code))
}
