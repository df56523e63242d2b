/** Runs a plan: round by round, and every counted run becomes a record as soon as it has ended. */
import type { Configuration } from './configuration.ts'
import { configurationRecord } from './configuration.ts'
import type { Machine } from './machine.ts'
import type { Plan, Planned } from './plan.ts'
import { type BenchRecord, recordOf } from './record.ts'
import { type Run, runRounds } from './rounds.ts'
import { parseRunReport } from './run-report.ts'
import { createScenario } from './scenario.ts'
import { hideInText, showCommand } from './show-command.ts'

export interface ExecuteOptions {
  /** Empty, on the disk to be measured. */
  readonly directory: string
  readonly versions: ReadonlyMap<string, string>
  readonly machine: Machine
  readonly signal: AbortSignal
  /** Bytes after which no further run begins. */
  readonly maxBytes: number | undefined
  onRecord(record: BenchRecord, progress: RunProgress): void
  /** A contender that is left out from now on: its run failed or gave wrong bytes. */
  onProblem(label: string, problem: string): void
}

export interface RunProgress {
  /** Counted and uncounted ones. */
  readonly done: number
  readonly total: number
}

/** @returns whether everything was run; not so when `maxBytes` did not allow it */
export async function executePlan(plan: Plan, options: ExecuteOptions): Promise<boolean> {
  const { maxBytes = Number.POSITIVE_INFINITY } = options
  let moved = 0
  let done = 0
  let isWhole = true
  for (const planned of plan.scenarios) {
    const configurations = configurationsOf(planned)
    const about = aboutOf(planned, configurations, options)
    await runRounds(
      createScenario({ ...planned, id: planned.scenario, to: plan.to, sha256: planned.sha256 }),
      contendersOf(planned),
      {
        rounds: plan.rounds,
        directory: options.directory,
        serverPorts: new Set(planned.port === undefined ? [] : [planned.port]),
        signal: options.signal,
        settleMs: plan.to === 'file' ? 3000 : 0,
        show: showCommand,
        log: () => {},
        onProblem: run => options.onProblem(`${planned.scenario}: ${nameOf(run)}`, hideInText(reasonOf(run))),
        onRun(run) {
          const record = recordOf(
            { ...run, problem: run.problem && hideInText(reasonOf(run)) },
            about(run),
            toldBy(run),
          )
          options.onRecord(record, { done, total: plan.runs })
        },
        mayBegin() {
          const fits = moved + planned.bytes <= maxBytes
          if (!fits) isWhole = false
          else {
            moved += planned.bytes
            done++
          }
          return fits
        },
      },
    )
  }
  return isWhole
}

const contendersOf = ({ contenders }: Planned) => contenders.map(({ contender }) => contender)

function configurationsOf({ contenders }: Planned): ReadonlyMap<string, Configuration> {
  return new Map(
    contenders.flatMap(({ contender, configuration }) =>
      configuration ? [[contender.label, configuration] as const] : [],
    ),
  )
}

function aboutOf(
  { scenario, bytes }: Planned,
  configurations: ReadonlyMap<string, Configuration>,
  { versions, machine }: ExecuteOptions,
) {
  return ({ contender, program }: Run) => {
    const configuration = program === 'arriero' ? configurations.get(contender) : undefined
    return {
      tool: configuration ? program : contender,
      version: versions.get(program) ?? 'unknown',
      ...{ machine, scenario, bytes, files: 1 },
      configuration: configuration && configurationRecord(configuration),
    }
  }
}

const nameOf = ({ program, contender }: Run) => (program === 'arriero' ? `arriero ${contender}` : contender)

function toldBy({ program, stdout }: Run) {
  return program === 'arriero' ? parseRunReport(stdout) : undefined
}

/** Our own program says in JSON what went wrong. */
function reasonOf({ stdout, problem = '' }: Run): string {
  try {
    const { error } = JSON.parse(stdout)
    return error?.message ?? problem
  } catch {
    return problem
  }
}
