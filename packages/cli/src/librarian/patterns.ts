import { Option } from 'commander'

/** The one rule of every command that takes names at a librarian. */
export const patternHelp = `* and ? stand for characters within one part of a name, ** for any number of
parts. What is in a tree has no name of its own for them: patterns stop there.
A name that has such characters itself is taken as it is with --no-glob.`

export interface GlobFlags {
  readonly glob?: boolean
}

export function noGlobOption(): Option {
  return new Option('--no-glob', 'take * and ? in a name as they are')
}
