import { printable, redactText } from '../redact.ts'
import type { RowReason } from './entry.ts'

/** Why a row cannot be used, as the end of a sentence; `Rows` adds which row of which manifest. */
export class RowProblem extends Error {
  readonly reason: RowReason | undefined

  constructor(problem: string, reason?: RowReason) {
    super(problem)
    this.reason = reason
  }
}

/** Refuses the row: what must hold, what was met. */
export function refuse(rule: string, met?: unknown): never {
  throw new RowProblem(met === undefined ? rule : `${rule}, got ${show(met)}`)
}

/** The same, with the class of the problem that reports name. */
export function refuseAs(reason: RowReason | undefined, rule: string, met?: unknown): never {
  throw new RowProblem(met === undefined ? rule : `${rule}, got ${show(met)}`, reason)
}

/** A value as messages may show it: short, printable, without secrets. */
export function show(value: unknown): string {
  if (value === undefined) return 'nothing'
  const text = printable(redactText(typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value))))
  const short = text.length > 80 ? `${text.slice(0, 79)}…` : text
  return typeof value === 'string' ? `"${short}"` : short
}
