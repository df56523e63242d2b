import { hash } from 'node:crypto'
import { TransferError } from '../errors.ts'
import type { Listed } from '../source.ts'

/** Longer ones are known by their digest. */
const LONGEST = 200

/**
 * What tells an item from the others: what the caller's function says; else the item itself, written as JSON. A name of a
 * listing is its URI: its size and time say what there is to fetch, and not which one it is. Without a state nobody
 * compares them, and the position does.
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
  if (isListed(item)) return short(item.uri)
  let text: string | undefined
  try {
    text = JSON.stringify(item)
  } catch {}
  if (text === undefined || text === '{}') throw noKey(index, 'it cannot be written as JSON')
  return short(text)
}

const listedFields = new Set<string>([
  'uri',
  'path',
  'size',
  'lastModified',
  'etag',
  'version',
  'checksums',
  'unavailable',
] satisfies (keyof Listed)[])

/** By its fields, since nothing else marks it; one that a caller has added to is the caller's own. */
function isListed(item: unknown): item is Listed {
  if (item === null || typeof item !== 'object') return false
  const { uri, path } = item as Partial<Listed>
  return (
    typeof uri === 'string' && typeof path === 'string' && Object.keys(item).every(field => listedFields.has(field))
  )
}

function short(text: string): string {
  return text.length <= LONGEST ? text : `sha256:${hash('sha256', text)}`
}

function noKey(index: number, why: string): TransferError {
  const message = `Cannot tell item ${index + 1} from the others: ${why}`
  return new TransferError('Usage', message, { remedy: 'Give pipeline() a `key` that names each item.' })
}
