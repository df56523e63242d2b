const prefixes = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB']

/** Binary prefixes, three to four figures, as the program prints them: `0 B`, `999 B`, `13.0 MiB`, `1.50 GiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 1000 && unit < prefixes.length - 1) {
    value /= 1024
    unit++
  }
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2
  return `${value.toFixed(digits)} ${prefixes[unit]}`
}

const counts = new Intl.NumberFormat('en')

/** `1,234,567`. */
export function formatCount(count: number): string {
  return counts.format(count)
}

/** `1 file`, `1,234 files`. */
export function formatFiles(count: number, noun = 'file', nouns = `${noun}s`): string {
  return `${formatCount(count)} ${count === 1 ? noun : nouns}`
}

/** Whole per cents; never 0 or 100 for what is only nearly so. */
export function formatShare(share: number): string {
  if (share > 0 && share < 0.01) return '< 1 %'
  if (share > 0.99 && share < 1) return '> 99 %'
  return `${Math.round(share * 100)} %`
}
