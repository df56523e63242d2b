/** Levels of users by name (librarian 5.2). Written here once more, so that `--help` need not load the wire. */
const numbers = { NONE: 0, READONLY: 1, CALLBACK: 2, READAPPEND: 3, READWRITE: 4, ADMIN: 100 } as const

export type LevelNumber = (typeof numbers)[keyof typeof numbers]

export const levelNames: readonly string[] = Object.keys(numbers)

export function levelNumber(name: string): LevelNumber {
  return numbers[name.toUpperCase() as keyof typeof numbers]
}

export function levelName(number: number): string {
  return levelNames.find(name => levelNumber(name) === number) ?? String(number)
}
