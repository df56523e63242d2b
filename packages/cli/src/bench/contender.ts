import type { Command } from './command.ts'

/** Who is measured: a program, asked in one certain way. */
export interface Contender {
  /** Unique among those that run together; what reports call it. */
  readonly label: string
  /** The program's own name: `arriero`, `curl`. */
  readonly program: string
  /** The command that writes into this fresh, empty directory. */
  command(directory: string): Command
  /** The uncounted first run, if it differs from the counted ones. */
  warmUp?(directory: string): Command
}
