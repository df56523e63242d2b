/**
 * The door of the client: workflows at the data.
 *
 * @module
 */

export { LibrarianError } from '@arriero/api'
export { type Downloaded, type DownloadOptions, download } from './download/download.ts'
export { type DownloadOutcome, downloadMany, type Wanted } from './download/download-many.ts'
export { urlsOf } from './download/entries.ts'
export { findAt, findCopies, type Located } from './download/find-copies.ts'
export { locate } from './download/locate.ts'
export { explained } from './http/network-error.ts'
export { type FollowJobOptions, followJob, type IngestItem, type IngestJob, jobItems } from './ingest/follow-job.ts'
export { type Librarian, type OpenLibrarianOptions, openLibrarian } from './librarian.ts'
export { type CopyCount, countCopies } from './search/copy-count.ts'
export { type HintOptions, hintFor } from './search/hint.ts'
export { type ListBelowOptions, type Listed, listBelow } from './search/list-below.ts'
export { type ParseTimeOptions, parseTime } from './search/parse-time.ts'
export { isPattern } from './search/pattern.ts'
export {
  type FileQuery,
  type FoundFile,
  type SearchOptions,
  searchFiles,
  windowOf,
} from './search/search-files.ts'
export { type Connection, hostAndPort, type StoredConnection, urlOf } from './settings/connection.ts'
export { connectionNames, type FoundConnection, findConnection } from './settings/find-connection.ts'
export { readPasswordFile } from './settings/password-file.ts'
export { type ReadSettings, readSettings } from './settings/read-settings.ts'
export { removeConnection, type WrittenConnection, writeConnection } from './settings/write-connection.ts'
export {
  type DiskOutcome,
  type IngestDiskOptions,
  type IngestedDisk,
  ingestDisk,
} from './sneakernet/arrive/ingest-disk.ts'
export { type CarriedEntry, type CarriedManifest, readCarriedManifest } from './sneakernet/carried-manifest.ts'
export { type CarriedOutcome, type IngestCarriedOptions, ingestCarried } from './sneakernet/ingest-carried.ts'
export { type PackOptions, type PackOrder, type PackReport, packDisk } from './sneakernet/pack/pack-disk.ts'
export { type ConfirmedDisk, confirmReceipt, writeReceipt } from './sneakernet/receipt.ts'
export type { UploadRequest } from './upload/prepare.ts'
export { createResumeRecords, type ResumeRecords, uploadStateDirectory } from './upload/resume-records.ts'
export { type UploadAllOptions, type UploadOutcome, uploadAll } from './upload/upload-all.ts'
export type { UploadedFile } from './upload/upload-one.ts'
