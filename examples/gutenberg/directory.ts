/**
 * Where a mirror keeps a book: a directory for each digit of its number but the last, then one for the number. A book
 * with a single digit is below `0`.
 *
 * @example directoryOf(31604) // '3/1/6/0/31604'
 */
export function directoryOf(number: number): string {
  const digits = String(number)
  const above = digits.length === 1 ? ['0'] : [...digits.slice(0, -1)]
  return [...above, digits].join('/')
}
