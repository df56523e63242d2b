/** Of a list that may be long: how many, and the first ones by name. */
const FEW = 5

/** `1 file (a)`, `7 files (a, b, c, d, e, and 2 more)`; sorted, so that the same files give the same text. */
export function someNames(names: readonly string[]): string {
  const shown = names.toSorted().slice(0, FEW)
  const more = names.length - shown.length
  const rest = more > 0 ? [`and ${more} more`] : []
  return `${names.length} ${names.length === 1 ? 'file' : 'files'} (${[...shown, ...rest].join(', ')})`
}
