/** What a benchmark tells a log: its own doings, since to log those of a run would be measured, too. */
import { randomBytes } from 'node:crypto'
import type { Context } from '../context.ts'
import type { TransferEvent } from '../engine.ts'
import { eventLog, type LogFlags } from '../options/log.ts'
import type { BenchRecord } from './record.ts'

export interface BenchLog {
  measured(record: BenchRecord): void
  leftOut(label: string, problem: string): void
}

export function benchLog(flags: LogFlags, context: Context): BenchLog {
  const write = eventLog(flags, context)
  const run = randomBytes(4).toString('hex')
  const tell = (event: Pick<TransferEvent, 'level' | 'event' | 'file' | 'fields'>) =>
    write?.({ ts: new Date().toISOString(), stage: 'run', run, ...event })
  return {
    measured({ scenario, tool, configuration, round, wall_seconds, is_right }) {
      const fields = { tool, configuration: configuration?.name, round, wall_seconds, is_right }
      tell({ level: 'INFO', event: 'measured', file: scenario, fields })
    },
    leftOut: (label, problem) => tell({ level: 'ERROR', event: 'left-out', fields: { label, reason: problem } }),
  }
}
