/** An entry’s detail, which is JSON, as `reason: it was wrong · outcome: refused`; what cannot be read stays as it is. */
export function detailText(detail: string): string {
  const value = parse(detail)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return detail
  return Object.entries(value)
    .map(([name, part]) => `${name.replaceAll('_', ' ')}: ${typeof part === 'string' ? part : JSON.stringify(part)}`)
    .join(' · ')
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
