/**
 * `Content-Disposition: attachment` for any name (RFC 6266, 8187). Both forms carry nothing but harmless characters, so that no
 * name can end the header or begin another (reliability 6).
 */
export function contentDisposition(name: string): string {
  const plain = name.replace(/[^\x20-\x7e]|["\\%]/g, '_')
  const isPlain = plain === name
  return isPlain
    ? `attachment; filename="${name}"`
    : `attachment; filename="${plain}"; filename*=UTF-8''${encode(name)}`
}

/** Of RFC 8187's attr-char, those that are in question everywhere are left out; a lone surrogate has no UTF-8. */
function encode(name: string): string {
  return encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    character => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}
