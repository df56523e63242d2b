/** Levels of callers (librarian 5.2): a caller passes where its number is at least the endpoint's. */
import { namedNumbers } from './named-numbers.ts'

/** What a user may do, with its number on the wire: the greater may do all that the lesser may. */
export const levels = {
  NONE: 0,
  READONLY: 1,
  CALLBACK: 2,
  READAPPEND: 3,
  READWRITE: 4,
  ADMIN: 100,
} as const

/** One of `levels`. */
export type Level = keyof typeof levels

/** Names of all levels, the least first. */
export const levelNames = Object.keys(levels) as readonly Level[]

export const level = namedNumbers(levels)

/** The name of a level's number on the wire; undefined for any other number. */
export function levelOf(number: number): Level | undefined {
  return level.nameOf(number)
}
