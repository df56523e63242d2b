/** Longest file name that common filesystems take, in bytes of UTF-8. */
export const MAX_NAME_BYTES = 255

/** An extension longer than this is taken for a part of the name, in bytes. */
const MAX_EXTENSION_BYTES = 32

export function utf8Length(text: string): number {
  return Buffer.byteLength(text, 'utf8')
}

/** Cuts a name to 255 bytes of UTF-8, between characters; the extension (also `.tar.gz`) stays. */
export function cutName(name: string): string {
  // A UTF-16 unit takes at most three bytes: most names need no counting.
  if (name.length * 3 <= MAX_NAME_BYTES || utf8Length(name) <= MAX_NAME_BYTES) return name
  const [stem, extension] = splitExtension(name)
  return cutText(stem, MAX_NAME_BYTES - utf8Length(extension)) + extension
}

/** `name_2.ext`, of at most 255 bytes. */
export function numberedName(name: string, number: number): string {
  const [stem, extension] = splitExtension(name)
  const end = `_${number}${extension}`
  return cutText(stem, MAX_NAME_BYTES - utf8Length(end)) + end
}

/** What stands before the extension, and the extension with its dot; `.tar.gz` and its like are one. */
export function splitExtension(name: string): readonly [stem: string, extension: string] {
  const extension = /(?<=.)(?:\.tar)?\.[^.]*$/is.exec(name)?.[0] ?? ''
  if (utf8Length(extension) > MAX_EXTENSION_BYTES) return [name, '']
  return [name.slice(0, name.length - extension.length), extension]
}

/** The longest beginning of `text` that fits into `limit` bytes of UTF-8 without cutting a character in two. */
function cutText(text: string, limit: number): string {
  if (text.length * 3 <= limit) return text
  const bytes = Buffer.from(text, 'utf8')
  let end = Math.min(limit, bytes.length)
  while (end > 0 && end < bytes.length && (bytes[end]! & 0xc0) === 0x80) end--
  return bytes.toString('utf8', 0, end)
}
