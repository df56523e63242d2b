/** States of transfers by name (librarian 2). Written here once more, so that `--help` need not load the wire. */
const numbers = { INITIATED: 0, ONGOING: 1, STAGED: 2, COMPLETED: 3, FAILED: 4, CANCELLED: 5 } as const

export type StatusNumber = (typeof numbers)[keyof typeof numbers]

export const statusNames: readonly string[] = Object.keys(numbers)

export function statusNumber(name: string): StatusNumber | undefined {
  const key = name.toUpperCase()
  return Object.hasOwn(numbers, key) ? numbers[key as keyof typeof numbers] : undefined
}

export function statusName(number: number): string {
  return statusNames[number] ?? String(number)
}
