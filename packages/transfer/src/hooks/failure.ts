import { type ErrorCode, errorTable, TransferError } from '../errors.ts'

/** What a hook threw, by the hook's name. A TransferError says itself what it is. */
export function hookFailed(label: string, error: unknown): TransferError {
  if (error instanceof TransferError) return error
  const known = asTransferError(error)
  if (known) return known
  const message = error instanceof Error ? error.message : String(error)
  return new TransferError('HookFailed', `The hook ${label} failed: ${message}`, { cause: error })
}

export function hookHung(label: string, timeoutMs: number): TransferError {
  return new TransferError('HookFailed', `The hook ${label} did not answer within ${timeoutMs / 1000} s`, {
    reason: HUNG,
    remedy: 'Mend the hook, or give it more time by timeoutMs.',
  })
}

/** @param met what came, as it may be shown */
export function hookWrong(label: string, must: string, met: string): TransferError {
  return new TransferError('HookFailed', `The hook ${label} must give ${must}, it gave ${met}`, {
    remedy: 'Mend the hook.',
  })
}

const HUNG = 'hook_hung'

export function isHung(error: unknown): boolean {
  return error instanceof TransferError && error.details.reason === HUNG
}

/** One that was thrown in a thread has lost its class on the way. */
function asTransferError(error: unknown): TransferError | undefined {
  if (!(error instanceof Error) || error.name !== 'TransferError') return undefined
  const { code, retriable } = error as Error & { code?: string; retriable?: boolean }
  if (code === undefined || !Object.hasOwn(errorTable, code)) return undefined
  return new TransferError(code as ErrorCode, error.message, { retriable, cause: error })
}
