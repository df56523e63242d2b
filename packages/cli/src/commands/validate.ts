import type { Command } from 'commander'
import { type Context, printJson, warn } from '../context.ts'
import { ProgramError, tellItem, toLine } from '../errors.ts'
import { exitCodes } from '../exit-codes.ts'
import {
  type ClientDoor,
  type Librarian,
  type LibrarianFlags,
  librarianOption,
  withLibrarian,
} from '../librarian/client.ts'
import { type GlobFlags, noGlobOption, patternHelp } from '../librarian/patterns.ts'
import { showTable } from '../librarian/show-table.ts'
import { printable } from '../text.ts'
import type { Run } from './define.ts'

type ValidateFlags = LibrarianFlags & GlobFlags
type Copy = Awaited<ReturnType<Librarian['api']['validate']['file']>>[number]
type Absent = NonNullable<Copy['absent']>[number]

export function define(command: Command, run: Run): void {
  command
    .argument('<name...>', 'names at the librarian, or patterns')
    .addOption(librarianOption())
    .addOption(noGlobOption())
  command.addHelpText(
    'after',
    `
Examples:
  arriero validate 2026/ocean.nc
  arriero validate '2026/*.nc' night-1 --json

The librarian, and every other one that has a copy from it, reads its copies and
compares them. Every name has its row. Exit code 0 only when each has a copy and
all of them are good. Of a single name: 3 when a copy is not good or is missing,
4 when there is no such name or no copy could be read, 6 when a librarian that
has a copy did not answer, or a disk is away; of several: 1. Piped, a line per
copy: name, librarian, store, state, bytes, recorded and read checksum, with
tabs.

${patternHelp}`,
  )
  command.action(run(validate))
}

async function validate(names: string[], flags: ValidateFlags, context: Context): Promise<number> {
  return withLibrarian(flags, context, async (librarian, door) => {
    const sum = new Verdicts(context)
    for await (const name of namesOf(names, flags, librarian, door, sum, context)) {
      try {
        sum.read(name, await librarian.api.validate.file({ file_name: name }, { signal: context.signal }))
      } catch (error) {
        context.signal.throwIfAborted()
        sum.failed(name, door.explained(error, librarian.connection.url))
      }
    }
    return sum.end()
  })
}

/** Each once, in the order of the operands; a pattern that takes nothing is told to `sum`. */
async function* namesOf(
  operands: readonly string[],
  { glob }: GlobFlags,
  librarian: Librarian,
  door: ClientDoor,
  sum: Verdicts,
  { signal }: Context,
): AsyncGenerator<string> {
  const seen = new Set<string>()
  for (const operand of operands) {
    if (glob === false || !door.isPattern(operand)) {
      if (!seen.has(operand)) yield operand
      seen.add(operand)
      continue
    }
    sum.isSeveral = true
    let isEmpty = true
    for await (const { name } of door.searchFiles(librarian, { name: operand }, { signal })) {
      isEmpty = false
      if (!seen.has(name)) yield name
      seen.add(name)
    }
    if (isEmpty) sum.failed(operand, new ProgramError('NotFound', `Nothing matches ${operand}.`))
  }
}

/** What was found of all names; told as rows at the end, as JSON at once. */
class Verdicts {
  /** Whether the exit code speaks of several. */
  isSeveral = false
  readonly #context: Context
  readonly #rows: (string | number)[][] = []
  #names = 0
  #bad = 0
  /** Librarians that gave no answer, and copies whose disk is away. */
  #silent = 0
  #firstError: unknown

  constructor(context: Context) {
    this.#context = context
  }

  read(name: string, copies: readonly Copy[]): void {
    if (copies.length === 0) {
      const what = `Nothing could be compared: no copy of ${name} was read.`
      const remedy = 'Its stores are not there, or its copies are missing: tell the operator.'
      return this.failed(name, new ProgramError('NotFound', what, { remedy }), 'NO COPY')
    }
    this.#names++
    for (const copy of copies) this.#copy(name, copy)
  }

  failed(name: string, error: unknown, state = 'FAILED'): void {
    this.#names++
    this.#firstError ??= error
    const told = tellItem(error)
    if (this.#context.flags.json) printJson(this.#context, { ok: false, name, error: told })
    else {
      this.#rows.push([name, '', '', told.code === 'not_found' && state === 'FAILED' ? 'UNKNOWN' : state, '', '', ''])
      // A single one is told by the error that ends the program.
      this.#remarks.push(toLine(told, printable(name)))
    }
  }

  readonly #remarks: string[] = []

  #copy(name: string, copy: Copy): void {
    const { computed_same_checksum: isGood, original_checksum: recorded, current_checksum: read, reason } = copy
    if (!isGood) this.#bad++
    if (this.#context.flags.json) printJson(this.#context, { ok: isGood, name, ...withoutAbsent(copy) })
    else {
      const state = isGood ? 'ok' : (copy.state ?? 'mismatch').toUpperCase()
      this.#rows.push([name, copy.librarian, copy.store_name ?? copy.store, state, copy.current_size, recorded, read])
    }
    if (!isGood)
      this.#remarks.push(`${printable(name)}: ${printable(reason ?? `it must have ${recorded}, it has ${read}`)}`)
    for (const absent of copy.absent ?? []) this.#absent(name, absent, recorded)
    for (const librarian of copy.unreachable ?? []) {
      this.#silent++
      this.#remarks.push(
        `${printable(name)}: ${printable(librarian)} did not answer, or has no copy that it can read: nothing is known of it.`,
      )
    }
  }

  #absent(name: string, absent: Absent, recorded: string): void {
    const {
      librarian,
      store,
      store_name: storeName = String(store),
      state,
      reason = 'its bytes are not there',
    } = absent
    // Of a copy whose disk is away nothing is known, as of one whose librarian gives no answer.
    if (state === 'missing') this.#bad++
    else this.#silent++
    if (this.#context.flags.json) printJson(this.#context, { ok: false, name, ...absent })
    else this.#rows.push([name, librarian, storeName, state.toUpperCase(), '', recorded, ''])
    const where = `the copy of ${printable(librarian)} on ${printable(storeName)}`
    this.#remarks.push(`${printable(name)}: ${where} is ${printable(state)}: ${printable(reason)}`)
  }

  end(): number {
    const context = this.#context
    const isLone = !this.isSeveral && this.#names === 1
    if (!context.flags.json) this.#show()
    if (isLone && this.#firstError !== undefined) throw this.#firstError
    for (const remark of this.#remarks) warn(context, remark)
    if (this.#bad > 0) warn(context, 'An administrator has damaged copies replaced by good ones: arriero repair <name>')
    if (this.#bad + this.#silent === 0 && this.#firstError === undefined) return exitCodes.ok
    if (!isLone) return exitCodes.someFailed
    return this.#bad > 0 ? exitCodes.mismatch : exitCodes.network
  }

  /** Digests of a terminal's width would tear every row: there they are told only where they differ. */
  #show(): void {
    const { isTTY } = this.#context.terminal.stdout
    const headings = ['Name', 'Librarian', 'Store', 'State', 'Bytes', 'Recorded', 'Read']
    const most = isTTY ? 5 : headings.length
    const rows = this.#rows.map(row => row.slice(0, most))
    if (rows.length > 0) showTable(headings.slice(0, most), rows, this.#context)
  }
}

/** Each of those has a line of its own. */
function withoutAbsent({ absent: _, ...copy }: Copy): Omit<Copy, 'absent'> {
  return copy
}
