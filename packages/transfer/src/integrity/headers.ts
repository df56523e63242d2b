/** Header fields by lower-case name, as Node and undici give them. */
export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>

/** The field's value when there is exactly one; several contradictory ones say nothing. */
export function oneHeader(headers: Headers, name: string): string | undefined {
  const value = headers[name]
  if (value === undefined || typeof value === 'string') return value?.trim()
  return value.length === 1 ? value[0]!.trim() : undefined
}

/** The members of a comma list that may be spread over several fields. */
export function listHeader(headers: Headers, name: string): readonly string[] {
  const value = headers[name]
  if (value === undefined) return []
  return (typeof value === 'string' ? [value] : value)
    .flatMap(line => line.split(','))
    .map(member => member.trim())
    .filter(member => member !== '')
}
