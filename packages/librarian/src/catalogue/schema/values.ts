/** Values that several tables share. */

/** 0 or 1. */
export type Bit = 0 | 1

export type TransferStatus = 'INITIATED' | 'ONGOING' | 'STAGED' | 'COMPLETED' | 'FAILED' | 'CANCELLED'
export type DeletionPolicy = 'DISALLOWED' | 'ALLOWED'
export type FileKind = 'file' | 'tree'
/** What the last full read of a copy found (reliability C2). */
export type CopyState = 'ok' | 'mismatch' | 'missing' | 'unreadable' | 'unavailable' | 'never-checked'
