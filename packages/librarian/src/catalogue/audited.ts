/** Writes whose entry in the audit is part of their own transaction: no crash parts the two (reliability F4). */
import { type Database, type Operation, write } from './operation.ts'
import { type AuditEntry, appendAudit } from './operations/audit.ts'

export type Audited<Arguments> = Arguments & {
  /** Who does it and through what, without the outcome. Absent where that is written elsewhere, or in tests. */
  readonly act?: AuditEntry | undefined
}

/**
 * @param outcomeOf what the entry says came of it; undefined: nothing was done, and whoever asked says so. Default: done
 */
export function audited<Arguments, Result>(
  run: (database: Database, args: Arguments) => Promise<Result>,
  outcomeOf: (result: Result) => string | undefined = () => 'done',
): Operation<Audited<Arguments>, Result> {
  return write(async (database, { act, ...args }) => {
    const result = await run(database, args as unknown as Arguments)
    const outcome = outcomeOf(result)
    if (act && outcome !== undefined) await appendAudit(database, withOutcome(act, outcome))
    return result
  })
}

export function withOutcome(act: AuditEntry, outcome: string): AuditEntry {
  return { ...act, detail: { ...(act.detail as object), outcome } }
}

/** For outcomes of operations that tell by a boolean whether they did it. */
export const ifDone = (isDone: boolean): string | undefined => (isDone ? 'done' : undefined)
