/** What became of several items: each failure at once, the sum at the end (reliability C4). */
import { type Context, printJson } from '../context.ts'
import { classOf, tellItem, toLine } from '../errors.ts'
import { exitCodes } from '../exit-codes.ts'
import { openReport, type Report } from '../get/report.ts'
import { count, printable } from '../text.ts'
import { formatSize } from '../units.ts'

export interface Done {
  readonly name: string
  readonly size: number
  /** Whether it had to be moved. */
  readonly isNew: boolean
  /** For people: `5.00 MiB, xxh3 ok`. */
  readonly line: string
  /** For programs. */
  readonly row: Readonly<Record<string, unknown>>
}

export interface Outcomes {
  succeed(done: Done): void
  fail(name: string, error: unknown): void
  /** Tells the sum, closes the report and gives the exit code. A single failure is thrown: it has a code of its own. */
  end(): number
  /** After an interruption: what was told is kept, nothing more is said. */
  close(): void
}

/** Of so many, each is named at the end; of more, only with -v. */
const fewToName = 10

/** @param verb what was done to the items: `uploaded` */
export function createOutcomes(
  context: Context,
  verb: string,
  options: { readonly report?: string | undefined },
): Outcomes {
  const report: Report | undefined = options.report === undefined ? undefined : openReport(options.report)
  const { flags, style } = context
  const totals = { ok: 0, new: 0, failed: 0, bytes: 0 }
  let onlyDone: Done | undefined
  let onlyError: { readonly name: string; readonly error: unknown } | undefined
  /** What is not told yet of the first ones. */
  const lines: string[] = []
  let isClosed = false
  const tellRow = (row: Record<string, unknown>) => {
    report?.add(row)
    if (flags.json) printJson(context, row)
  }
  const tellFailure = (name: string, error: unknown) => {
    const told = tellItem(error)
    tellRow({ ok: false, name, error: told })
    if (!flags.json) context.say(`${style.red('failed')} ${classOf(told)}: ${toLine(told, printable(name))}`)
  }
  const outcomes: Outcomes = {
    succeed(done) {
      // Whether it stays alone is known only when another one comes.
      if (totals.ok + totals.failed === 1) flushFirst()
      totals.ok++
      totals.bytes += done.size
      if (done.isNew) totals.new++
      if (totals.ok + totals.failed === 1) onlyDone = done
      else tellDone(done)
    },
    fail(name, error) {
      if (totals.ok + totals.failed === 1) flushFirst()
      totals.failed++
      if (totals.ok + totals.failed === 1) onlyError = { name, error }
      else tellFailure(name, error)
    },
    end() {
      if (onlyError) {
        report?.add({ ok: false, name: onlyError.name, error: tellItem(onlyError.error) })
        outcomes.close()
        throw onlyError.error
      }
      if (onlyDone) {
        tellRow({ ok: true, ...onlyDone.row })
        if (!flags.json && !flags.quiet) context.say(`${printable(onlyDone.name)}  ${onlyDone.line}`)
        outcomes.close()
        return exitCodes.ok
      }
      const listed = totals.ok + totals.failed
      const summary = {
        listed,
        ok: totals.ok,
        [verb]: totals.new,
        present: totals.ok - totals.new,
        failed: totals.failed,
      }
      tellRow({ summary })
      if (!flags.json && !flags.quiet) {
        if (totals.ok <= fewToName) for (const line of lines) context.say(line)
        const parts = [`${count(totals.new, 'file')} ${verb}`]
        if (totals.ok > totals.new) parts.push(`${totals.ok - totals.new} there already`)
        if (totals.failed > 0) parts.push(`${totals.failed} failed`)
        const text = `${parts.join(', ')}; ${formatSize(totals.bytes)}`
        context.say(totals.failed > 0 ? style.red(text) : style.green(text))
      }
      outcomes.close()
      return totals.failed > 0 ? exitCodes.someFailed : exitCodes.ok
    },
    close() {
      if (!isClosed) report?.close()
      isClosed = true
    },
  }
  function flushFirst(): void {
    if (onlyDone) tellDone(onlyDone)
    if (onlyError) tellFailure(onlyError.name, onlyError.error)
    onlyDone = undefined
    onlyError = undefined
  }
  function tellDone(done: Done): void {
    tellRow({ ok: true, ...done.row })
    const line = `${printable(done.name)}  ${done.line}`
    if (flags.json) return
    if (flags.verbosity > 0) context.say(line)
    else if (lines.length < fewToName) lines.push(line)
  }
  return outcomes
}
