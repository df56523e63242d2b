import { constants } from 'node:os'

/** Exit codes (design 6). For several items only 0, 1, 2 and the interruptions are used. */
export const exitCodes = {
  ok: 0,
  someFailed: 1,
  usage: 2,
  mismatch: 3,
  notFound: 4,
  denied: 5,
  network: 6,
  localIo: 7,
  changed: 8,
  interrupted: 130,
  /** Whoever read our output closed it early; what a shell reports for a program that SIGPIPE ended. */
  brokenPipe: 141,
} as const

const byErrorCode: Readonly<Record<string, number>> = {
  Usage: exitCodes.usage,
  Unsupported: exitCodes.usage,
  NotFound: exitCodes.notFound,
  Denied: exitCodes.denied,
  Expired: exitCodes.denied,
  RangeUnsupported: exitCodes.network,
  Protocol: exitCodes.network,
  ResourceChanged: exitCodes.changed,
  SizeMismatch: exitCodes.mismatch,
  ChecksumMismatch: exitCodes.mismatch,
  // Nothing differed, but what was asked for (a proof) was not given.
  Unverifiable: exitCodes.mismatch,
  AmbiguousEncoding: exitCodes.network,
  Throttled: exitCodes.network,
  Timeout: exitCodes.network,
  LowSpeed: exitCodes.network,
  Network: exitCodes.network,
  Tls: exitCodes.network,
  Redirect: exitCodes.network,
  Disk: exitCodes.localIo,
  NoSpace: exitCodes.localIo,
  PathUnsafe: exitCodes.localIo,
  Exists: exitCodes.localIo,
  Locked: exitCodes.localIo,
  HookFailed: exitCodes.someFailed,
  StageFailed: exitCodes.someFailed,
  Cancelled: exitCodes.interrupted,
}

/** The exit code for the failure of a single item; errors nobody foresaw give 1. */
export function exitCodeOf(errorCode: string): number {
  return byErrorCode[errorCode] ?? exitCodes.someFailed
}

/** Of a librarian's own errors; what is not here gives 1. */
const byLibrarianCode: Readonly<Record<string, number>> = {
  BadRequest: exitCodes.usage,
  BadSize: exitCodes.usage,
  BadName: exitCodes.usage,
  Configuration: exitCodes.usage,
  BadArchive: exitCodes.usage,
  Unacceptable: exitCodes.usage,
  NotAuthenticated: exitCodes.denied,
  Denied: exitCodes.denied,
  NoSession: exitCodes.denied,
  Forbidden: exitCodes.denied,
  NotFound: exitCodes.notFound,
  NotYours: exitCodes.notFound,
  UnknownStore: exitCodes.notFound,
  UnknownLibrarian: exitCodes.notFound,
  Gone: exitCodes.notFound,
  Mismatch: exitCodes.mismatch,
  NoGoodCopy: exitCodes.mismatch,
  PieceMismatch: exitCodes.mismatch,
  Locked: exitCodes.network,
  Busy: exitCodes.network,
  TooMany: exitCodes.network,
  OutcomeUnknown: exitCodes.network,
  PeerUnreachable: exitCodes.network,
  BadAnswer: exitCodes.network,
  NoEndpoint: exitCodes.network,
  WrongMethod: exitCodes.network,
}

/** The same for an error that a librarian told. */
export function exitCodeOfLibrarian(errorCode: string): number {
  return byLibrarianCode[errorCode] ?? exitCodes.someFailed
}

/** As a shell reports it: 130 for Ctrl-C, 143 for SIGTERM. */
export function exitCodeOfSignal(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal]
}
