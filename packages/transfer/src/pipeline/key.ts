import { hash } from 'node:crypto'
import { TransferError } from '../errors.ts'
import { redactText } from '../redact.ts'
import type { Listed } from '../source.ts'
import { placed, stageError, wrongValue } from './failure.ts'

/** Longer ones are known by their digest. */
const LONGEST = 200

/**
 * What tells an item from the others: what the caller's function says; else the item itself, written as JSON. A name of a
 * listing is its URI: its size and time say what there is to fetch, and not which one it is. Without a state nobody
 * compares them, and the position does.
 *
 * Keys are written down and shown. One that holds a secret (a signature, a token) is therefore known by its digest, behind
 * what may be shown of it; user and password of a URL do not count at all, because a digest of them could be guessed.
 *
 * @throws TransferError Usage where neither gives a key; StageFailed where the caller's function throws
 */
export function keyOf(
  item: unknown,
  index: number,
  key: ((item: never) => string) | undefined,
  isKept: boolean,
): string {
  if (key) {
    const given = called(key, item, index)
    if (typeof given === 'string' && given !== '') return withoutSecret(given)
    if (given === '') throw noKey(index, 'its key function gave an empty text')
    throw wrongValue(`key, item ${index + 1}`, given, 'a text that names the item')
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

function called(key: (item: never) => string, item: unknown, index: number): unknown {
  try {
    return key(item as never)
  } catch (error) {
    throw placed(stageError(error, `key, item ${index + 1}`), error)
  }
}

function short(text: string): string {
  return text.length <= LONGEST ? withoutSecret(text) : digestOf(text)
}

function withoutSecret(text: string): string {
  const shown = redactText(text)
  if (shown === text) return text
  const digest = digestOf(text)
  return shown.length <= LONGEST ? `${shown} ${digest}` : digest
}

function digestOf(text: string): string {
  return `sha256:${hash('sha256', text.replace(USER_INFO, ''))}`
}

/** `me:pw@` of every URL in a text; a bare `@` in a password is taken with it. */
const USER_INFO = /(?<=[a-z0-9+.-]:[/\\]{2})[^\s"'/\\?#]*@/gi

function noKey(index: number, why: string): TransferError {
  const message = `Cannot tell item ${index + 1} from the others: ${why}`
  return new TransferError('Usage', message, { remedy: 'Give pipeline() a `key` that names each item.' })
}
