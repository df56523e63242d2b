import { TransferError } from '../errors.ts'

/** The same argument for another thread: an error travels as data, because a cloned one keeps neither code nor details. */
export function forThread(argument: unknown): unknown {
  const { error } = (argument ?? {}) as { readonly error?: unknown }
  return error instanceof Error ? { ...(argument as object), error: asData(error) } : argument
}

function asData(error: Error): object {
  const { name, message, stack } = error
  if (!(error instanceof TransferError)) return { name, message, stack }
  const { code, retriable, details, remedy } = error
  const { cause, ...about } = details
  const why = cause instanceof Error ? { name: cause.name, message: cause.message } : undefined
  return { name, message, stack, code, retriable, remedy, details: about, ...about, cause: why }
}
