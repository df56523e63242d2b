/** The name that a misspelt one most likely meant; undefined when none is near. */
export function closest(word: string, names: readonly string[]): string | undefined {
  const ranked = names
    .map(name => ({ name, distance: distance(word.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)
  const [best] = ranked
  return best && best.distance <= Math.max(2, word.length / 3) ? best.name : undefined
}

/** Insertions, deletions and replacements that turn one into the other. */
function distance(a: string, b: string): number {
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (last[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)
      row.push(Math.min(replaced, (last[j] as number) + 1, (row[j - 1] as number) + 1))
    }
    last = row
  }
  return last[b.length] as number
}
