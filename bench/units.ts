/** Numbers as people read them. Sizes of memory and files in powers of two, rates in powers of ten. */

export const seconds = (value: number) => (value < 1 ? `${(value * 1000).toFixed(0)} ms` : `${value.toFixed(2)} s`)

export const thousands = (value: number) => value.toLocaleString('en')

export const ratio = (value: number) => value.toFixed(2)

export function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB']
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${Number.isInteger(value) ? value : value.toFixed(value < 10 ? 2 : 1)} ${units[unit]}`
}
