/** The order of listings: that of the names' UTF-8 bytes. Negative: `a` comes first. */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let index = 0; index < length; index++) {
    const left = a.charCodeAt(index)
    const right = b.charCodeAt(index)
    if (left === right) continue
    // Surrogates stand for characters above all that one unit can hold, though not as numbers.
    const isAbove = (unit: number) => unit >= 0xd800 && unit <= 0xdfff
    if (isAbove(left) !== isAbove(right)) return isAbove(left) ? 1 : -1
    return left - right
  }
  return a.length - b.length
}
