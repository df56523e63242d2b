/** The address with some of its conditions changed; those that are empty or undefined are left out. A page of rows behind the first is left, unless it is asked for. */
export function searchWith(search: string, changes: Readonly<Record<string, string | undefined>>): string {
  const params = new URLSearchParams(search)
  for (const [key, value] of Object.entries({ after: undefined, ...changes })) {
    if (value === undefined || value === '') params.delete(key)
    else params.set(key, value)
  }
  const text = params.toString()
  return text === '' ? '' : `?${text}`
}
