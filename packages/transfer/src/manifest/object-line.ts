const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'
/** As commons make them: a UUID, perhaps behind something, or anything behind a registered prefix. */
const COMMON_ID = new RegExp(`^(?:(?:[^\\s,]+[/:])?${UUID}|(?:dg|drs)\\.[0-9a-z-]+[/:][^\\s,]+)$`, 'i')
const DRS_URI = /^d[ro]s:[^\s]+$/i
/** The address at which a DRS server answers for an object: what is meant is the object, not the answer. */
const OBJECT_ADDRESS = /^https?:\/\/[^/?#\s]+\/ga4gh\/drs\/v1\/objects\/[^?#\s]+$/i
const OTHER_SCHEME = /^[a-z][a-z0-9+.-]+:\/\//i

/**
 * The objects that a line of a list names, several between commas; undefined when it names something else. With `anyId`, all
 * but URLs of other schemes are ids.
 */
export function objectsOf(line: string, anyId: boolean): readonly string[] | undefined {
  if (OTHER_SCHEME.test(line) && !/^d[ro]s:/i.test(line) && !OBJECT_ADDRESS.test(line)) return undefined
  if (!line.includes(',')) return isObject(line, anyId) ? [line] : undefined
  const parts = line
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== '')
  if (parts.every(part => isObject(part, anyId)) && parts.length > 0) return parts
  // An id may hold a comma of its own.
  return DRS_URI.test(line) || OBJECT_ADDRESS.test(line) ? [line] : undefined
}

function isObject(text: string, anyId: boolean): boolean {
  if (DRS_URI.test(text) || OBJECT_ADDRESS.test(text)) return true
  return anyId ? !/\s/.test(text) && !OTHER_SCHEME.test(text) : COMMON_ID.test(text)
}
