/** What every method asks of a batch before it begins. */
import { isAbsolute, normalize } from 'node:path'
import { TransferError } from '../errors.ts'
import type { MethodItem, MethodName } from '../method.ts'
import { printable } from '../redact.ts'

/** @throws TransferError Unsupported with the reason, if there is one */
export function refuseIf(reason: string | undefined, name: MethodName): void {
  if (reason !== undefined) throw new TransferError('Unsupported', `Cannot transfer by ${name}: ${reason}`)
}

/** @throws TransferError Usage for none, and for paths that are not absolute and plain: a target comes from another site */
export function checkItems(items: readonly MethodItem[], name: MethodName): void {
  if (items.length === 0)
    throw new TransferError('Usage', `Cannot transfer by ${name}: there must be a file, there is none`)
  for (const { source, target } of items) {
    const odd = [source, target].find(path => !isPlain(path))
    if (odd === undefined) continue
    const message = `Cannot transfer by ${name}: a path must be absolute and without . and .., met ${printable(odd)}`
    throw new TransferError('Usage', message)
  }
}

function isPlain(path: string): boolean {
  return isAbsolute(path) && normalize(path) === path && !path.endsWith('/') && !path.includes('\0')
}

export function hasAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true
}
