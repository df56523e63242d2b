import { drop, type FetchedBytes, type Listed, type ThreadContext } from '@arriero/transfer'

export function mean({ bytes }: FetchedBytes, { item, warn }: ThreadContext<Listed>) {
  const rows = Buffer.from(bytes).toString().trimEnd().split('\n').slice(1)
  if (rows.length === 0) return drop('no readings')
  if (rows.length < 8640) warn(`${8640 - rows.length} readings are missing`)
  let sum = 0
  for (const [number, row] of rows.entries()) {
    const kelvin = Number(row.split(',')[1])
    if (!Number.isFinite(kelvin)) throw new Error(`row ${number + 2} has no temperature: ${row}`)
    sum += kelvin
  }
  return { day: item.path.replace('.csv', ''), kelvin: sum / rows.length }
}
