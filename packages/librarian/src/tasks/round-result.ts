/** What a task says of a round over a store's copies. */
import type { RoundReport } from '../services/scrub/read-round.ts'
import type { TaskResult } from './task.ts'

/** @param report undefined: there is no such store */
export function roundResult(storeName: string, report: RoundReport | undefined): TaskResult {
  if (!report) return { outcome: 'off', note: `there is no store ${storeName}`, counts: {} }
  const { counts, why } = report
  const { read, bytes, bad, skipped } = counts
  const found = `${read} copies of store ${storeName} were read, ${bytes} bytes; ${bad} are not good`
  const note = [found, ...(skipped > 0 ? [`${skipped} could not be read now`] : []), ...(why ? [why] : [])].join('; ')
  return { outcome: outcomeOf(report, bad + skipped > 0), note, counts: { read, bytes, bad, skipped } }
}

function outcomeOf({ end }: RoundReport, hasTrouble: boolean): TaskResult['outcome'] {
  if (end === 'braked') return 'failed'
  if (end === 'overdue' || end === 'gone') return 'partial'
  return hasTrouble ? 'failed' : 'done'
}
