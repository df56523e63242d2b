import { hash } from 'node:crypto'
import { TransferError } from '../errors.ts'

/** Longer ones are known by their digest. */
const LONGEST = 200

/**
 * What tells an item from the others: what the caller's function says; else the item itself, written as JSON. Without a
 * state nobody compares them, and the position does.
 *
 * @throws TransferError Usage where neither gives a key
 */
export function keyOf(
  item: unknown,
  index: number,
  key: ((item: never) => string) | undefined,
  isKept: boolean,
): string {
  if (key) {
    const given: unknown = key(item as never)
    if (typeof given === 'string' && given !== '') return given
    throw noKey(index, `its key function gave ${typeof given === 'string' ? 'an empty text' : String(given)}`)
  }
  if (!isKept) return String(index)
  if (typeof item === 'string') return short(item)
  let text: string | undefined
  try {
    text = JSON.stringify(item)
  } catch {}
  if (text === undefined || text === '{}') throw noKey(index, 'it cannot be written as JSON')
  return short(text)
}

function short(text: string): string {
  return text.length <= LONGEST ? text : `sha256:${hash('sha256', text)}`
}

function noKey(index: number, why: string): TransferError {
  const message = `Cannot tell item ${index + 1} from the others: ${why}`
  return new TransferError('Usage', message, { remedy: 'Give pipeline() a `key` that names each item.' })
}
