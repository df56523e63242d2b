/** Longest file name that common filesystems take, in bytes of UTF-8. */
export const MAX_NAME_BYTES = 255

/** An extension longer than this is taken for a part of the name, in bytes. */
const MAX_EXTENSION_BYTES = 32

export function utf8Length(text: string): number {
  return Buffer.byteLength(text, 'utf8')
}

/** Cuts a name to 255 bytes of UTF-8, between characters; the extension (also `.tar.gz`) stays. */
export function cutName(name: string): string {
  if (utf8Length(name) <= MAX_NAME_BYTES) return name
  const extension = /(?<=.)(?:\.tar)?\.[^.]*$/is.exec(name)?.[0] ?? ''
  const extensionBytes = utf8Length(extension)
  if (extensionBytes > MAX_EXTENSION_BYTES) return cutText(name, MAX_NAME_BYTES)
  return cutText(name.slice(0, name.length - extension.length), MAX_NAME_BYTES - extensionBytes) + extension
}

/** The longest beginning of `text` that fits into `limit` bytes of UTF-8 without cutting a character in two. */
function cutText(text: string, limit: number): string {
  const bytes = Buffer.from(text, 'utf8')
  let end = Math.min(limit, bytes.length)
  while (end > 0 && end < bytes.length && (bytes[end]! & 0xc0) === 0x80) end--
  return bytes.toString('utf8', 0, end)
}
