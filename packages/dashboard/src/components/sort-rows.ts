/** Null and undefined stand at the end, however it is sorted. */
export type SortKey = number | string | null | undefined

export interface Sorting {
  readonly key: string
  readonly isDescending: boolean
}

/** A new list; rows of equal keys stay as they were. Texts are compared as people do: `a2` before `a10`. */
export function sortRows<Row>(rows: readonly Row[], by: (row: Row) => SortKey, isDescending: boolean): Row[] {
  const sign = isDescending ? -1 : 1
  return rows.toSorted((a, b) => {
    const [left, right] = [by(a), by(b)]
    if (isNone(left) || isNone(right)) return Number(isNone(left)) - Number(isNone(right))
    if (typeof left === 'number' && typeof right === 'number') return sign * (left - right)
    return sign * collator.compare(String(left), String(right))
  })
}

function isNone(key: SortKey): key is null | undefined {
  return key === null || key === undefined
}

const collator = new Intl.Collator('en', { numeric: true })
