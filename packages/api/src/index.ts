/**
 * The door of the wire: schemas, the table of endpoints, errors, a typed client. Nothing here needs more than a browser has.
 *
 * @module
 */

export { type CallOptions, type Connection, type ConnectOptions, connect, type Method } from './connect.ts'
export type { Address } from './connection/address.ts'
export { FLOWS, type Greeting, IDEMPOTENCY } from './connection/greeting.ts'
export type { Patience, Wait } from './connection/patience.ts'
export {
  type AnswerInput,
  type AnswerOf,
  type Endpoint,
  endpoint,
  type Failure,
  type FailureShape,
  type Failures,
  type RequestInput,
  type RequestOf,
} from './endpoint.ts'
export { type ManifestEntry, manifestEntry } from './endpoints/admin.ts'
export { type CopyStateName, type Overview, overview } from './endpoints/dashboard/overview.ts'
export { MAX_ROWS } from './endpoints/dashboard.ts'
export { type ExistingFile, existingFile } from './endpoints/existing.ts'
export { type Endpoints, endpoints } from './endpoints/index.ts'
export {
  type IngestItemStatus,
  ingestItemStatuses,
  type JobStatus,
  jobStatuses,
  MAX_ENTRIES,
} from './endpoints/ingest.ts'
export { type OutcomeFailure, outcomeFailure } from './endpoints/outcome.ts'
export {
  type AsyncProviders,
  archiveHeaders,
  asyncProviders,
  bytesUrl,
  type HttpProvider,
  httpProvider,
  localProvider,
  type UploadProviders,
  uploadProviders,
} from './endpoints/providers.ts'
export {
  type DiskCandidate,
  type DiskItemState,
  type DiskState,
  diskItemStates,
  diskStates,
  type ListedDisk,
  MAX_DISK_FILES,
} from './endpoints/sneakernet.ts'
export { type TaskOutcome, type TaskStateName, taskOutcomes, taskStates } from './endpoints/tasks.ts'
export { MAX_BATCH } from './endpoints/upload.ts'
export {
  type ErrorCode,
  type ErrorFields,
  errorTable,
  LibrarianError,
  type LibrarianErrorOptions,
} from './errors.ts'
export { parseRequest, type SuccessAnswer, toAnswer } from './exchange.ts'
export { type FailureAnswer, type FromFailureOptions, fromFailure, hideOthers, toFailureBody } from './failures.ts'
export { type OpenApiOptions, openApi } from './openapi.ts'
export {
  SESSION_COOKIE,
  SESSION_HEADER,
  type SessionAnswer,
  sessionAnswer,
  sessionPaths,
  sessionRequest,
} from './session.ts'
export {
  type DiskStatement,
  diskStatement,
  parseStatement,
  type ReceiptLine,
  type ReceiptStatement,
  receiptStatement,
  receiptText,
} from './sneakernet/statement.ts'
export { findUnsafeCharacter, printable } from './values/characters.ts'
export {
  type Checksum,
  type ChecksumFunction,
  checksumFunctionNames,
  checksumFunctions,
  checksumsMatch,
  formatChecksum,
  isWholeChecksum,
  parseChecksum,
} from './values/checksum.ts'
export { type DeletionPolicy, deletionPolicies, deletionPolicyOf } from './values/deletion-policy.ts'
export { parseDuration } from './values/duration.ts'
export {
  type ErrorCategory,
  type ErrorSeverity,
  errorCategories,
  errorSeverities,
} from './values/error-kinds.ts'
export {
  fileNameProblem,
  MAX_NAME_CHARACTERS,
  MAX_PART_BYTES,
  nestsWith,
  parseFileName,
  parsePartName,
} from './values/file-name.ts'
export {
  FIRST_INSTANT,
  type Instant,
  instantOf,
  LAST_INSTANT,
  millisecondsOf,
  parseInstant,
  toNaive,
} from './values/instant.ts'
export { type Level, levelNames, levelOf, levels } from './values/level.ts'
export { normalisePath } from './values/posix-path.ts'
export { type TransferStatus, transferStatuses, transferStatusOf } from './values/transfer-status.ts'
