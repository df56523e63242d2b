/** Three figures are enough to read, and no more than was measured. */
export function formatFigure(value: number): string {
  const size = Math.abs(value)
  if (size >= 100 || Number.isInteger(value)) return Math.round(value).toLocaleString('en-US')
  return Number(value.toPrecision(size >= 1 ? 3 : 2)).toString()
}

const smaller: Readonly<Record<string, readonly string[]>> = {
  'Gbit/s': ['Gbit/s', 'Mbit/s', 'kbit/s'],
  'MB/s': ['MB/s', 'kB/s', 'B/s'],
  GB: ['GB', 'MB'],
}

/** A unit in which the highest value is at least 1, where there is one. */
export function readableUnit(unit: string, highest: number): { unit: string; factor: number } {
  const names = smaller[unit] ?? [unit]
  let step = 0
  while (step < names.length - 1 && highest > 0 && highest * 1000 ** step < 1) step++
  return { unit: names[step] as string, factor: 1000 ** step }
}
