/** Records of a pax extended header: `LENGTH KEY=VALUE\n`, the length counting itself. */

/** What says who owned a file and when it was written: read over, since a librarian keeps neither. */
const IGNORED: ReadonlySet<string> = new Set(['atime', 'ctime', 'mtime', 'uid', 'gid', 'uname', 'gname', 'comment'])

export interface PaxRecords {
  readonly path?: string
  readonly size?: number
}

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function encodePaxRecords({ path, size }: PaxRecords): Uint8Array {
  const records = [
    path === undefined ? '' : recordOf('path', path),
    size === undefined ? '' : recordOf('size', `${size}`),
  ]
  return encoder.encode(records.join(''))
}

function recordOf(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`
  const bytes = encoder.encode(rest).length
  let length = bytes + String(bytes).length
  // One digit more may need yet another.
  if (bytes + String(length).length > length) length++
  return `${length}${rest}`
}

/** @throws Error with why it cannot be read, as the end of a sentence */
export function parsePaxRecords(bytes: Uint8Array): PaxRecords {
  const found = new Map<string, string>()
  for (let at = 0; at < bytes.length; ) {
    const { key, value, end } = recordAt(bytes, at)
    if (found.has(key)) throw new Error(`a pax header must not say ${key} twice`)
    found.set(key, value)
    at = end
  }
  for (const key of found.keys()) {
    if (key === 'path' || key === 'size' || IGNORED.has(key)) continue
    throw new Error(`its files must be plain ones, a pax header says ${shown(key)}`)
  }
  const path = found.get('path')
  const size = found.get('size')
  return { ...(path === undefined ? {} : { path }), ...(size === undefined ? {} : { size: sizeOf(size) }) }
}

function recordAt(bytes: Uint8Array, at: number): { key: string; value: string; end: number } {
  const [, digits] = /^([1-9][0-9]{0,6}) /.exec(String.fromCharCode(...bytes.subarray(at, at + 8))) ?? []
  const end = at + Number(digits)
  if (digits === undefined || end > bytes.length || bytes[end - 1] !== 0x0a) throw malformed()
  const text = decode(bytes.subarray(at + digits.length + 1, end - 1))
  const equals = text.indexOf('=')
  if (equals < 1) throw malformed()
  return { key: text.slice(0, equals), value: text.slice(equals + 1), end }
}

function decode(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch {
    throw new Error('a pax header must be UTF-8')
  }
}

function sizeOf(text: string): number {
  const size = /^(0|[1-9][0-9]{0,15})$/.test(text) ? Number(text) : Number.NaN
  if (Number.isSafeInteger(size)) return size
  throw new Error('a size in a pax header must be a whole number')
}

function malformed(): Error {
  return new Error('a pax header must be records of a length, a key and a value')
}

function shown(key: string): string {
  return JSON.stringify(key.slice(0, 40))
}
