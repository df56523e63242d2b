import { parseCount } from '../units.ts'

/** @throws ProgramError Usage */
export function parsePort(text: string, flag: string): number {
  return parseCount(text, flag, 0)
}
