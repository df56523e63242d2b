/** What needs a person, with the next step: a pure function of what the overview knows. */
import { type AnswerInput, type endpoints, type Instant, millisecondsOf } from '@arriero/api'
import type { RecordedError } from '../../catalogue/operations/errors.ts'
import type { TaskState } from '../../catalogue/operations/tasks.ts'

type Overview = AnswerInput<typeof endpoints.dashboard.overview>
export type Need = Overview['needs'][number]

export interface NeedsGround extends Pick<Overview, 'backlog' | 'proof' | 'stores'> {
  readonly now: Instant
  /** Not cleared. */
  readonly errors: readonly Pick<RecordedError, 'severity' | 'category' | 'raisedTime'>[]
  readonly taskList: readonly Pick<TaskState, 'name' | 'outcome' | 'state' | 'next_run' | 'started'>[]
  /** Proposals that wait for another administrator. */
  readonly proposals: number
}

const DAY_MS = 86_400_000
/** What is older than this does not only wait for its turn. */
const STUCK_MS = DAY_MS
const SOON_MS = 14 * DAY_MS
/** Whoever runs tasks begins one within seconds of its time. */
const IDLE_MS = 60_000

/** The gravest first. */
export function needsOf(ground: NeedsGround): Need[] {
  const all = [
    ...storeNeeds(ground),
    ...copyNeeds(ground),
    ...siteNeeds(ground),
    ...idleNeeds(ground),
    ...taskNeeds(ground),
    ...errorNeeds(ground),
    ...proposalNeeds(ground),
  ]
  return [...all.filter(({ severity }) => severity === 'error'), ...all.filter(({ severity }) => severity !== 'error')]
}

function storeNeeds({ stores, now }: NeedsGround): Need[] {
  const page = '/stores'
  return stores.flatMap(({ store_name, enabled, available, ingestable, reason, free, full_time }): Need[] => {
    if (!enabled) return []
    if (!available) {
      const title = `The store ${store_name} is not available`
      const next_step = 'See to its disk and its mount; nothing of it is lost by waiting.'
      return [{ severity: 'error', title, detail: reason ?? '', next_step, page }]
    }
    if (!ingestable) return []
    if (free === 0) {
      const next_step = 'Make room, add a store, or move files to another one.'
      return [
        {
          severity: 'error',
          title: `The store ${store_name} is full`,
          detail: 'Nothing more is kept there.',
          next_step,
          page,
        },
      ]
    }
    if (full_time == null || millisecondsOf(full_time) - millisecondsOf(now) > SOON_MS) return []
    const detail = `At the rate of the last week it is full on ${full_time.slice(0, 10)}.`
    return [
      {
        severity: 'warning',
        title: `The store ${store_name} is filling up`,
        detail,
        next_step: 'Plan for room.',
        page,
      },
    ]
  })
}

function copyNeeds({ proof: { by_state } }: NeedsGround): Need[] {
  const bad = (['mismatch', 'missing', 'unreadable'] as const).filter(state => (by_state[state] ?? 0) > 0)
  if (bad.length === 0) return []
  const detail = bad.map(state => `${by_state[state]} ${state}`).join(', ')
  const next_step = 'Run the task repair, or look at each of these files: good copies replace bad ones.'
  return [{ severity: 'error', title: 'Copies are bad', detail, next_step, page: '/files' }]
}

function siteNeeds({ backlog, now }: NeedsGround): Need[] {
  return backlog.flatMap(({ librarian_name: name, enabled, reachable, files, drain_seconds, oldest_time }): Need[] => {
    const detail =
      files === 0 ? 'Nothing waits for it.' : `${files === 1 ? '1 file waits' : `${files} files wait`} for it.`
    const need = (severity: Need['severity'], title: string, next_step: string): Need[] => [
      { severity, title, detail, next_step, page: enabled && reachable !== false ? '/transfers' : '/sites' },
    ]
    if (!enabled) {
      if (files === 0) return []
      return need('warning', `Sending to ${name} is switched off`, 'Switch it on when the reason for that is gone.')
    }
    if (reachable === false) {
      const next_step = 'Look whether it runs and the network is there; sending goes on by itself when it is back.'
      return need(files === 0 ? 'warning' : 'error', `${name} does not answer`, next_step)
    }
    const isOld = oldest_time != null && millisecondsOf(now) - millisecondsOf(oldest_time) > STUCK_MS
    if (isOld && drain_seconds === null) {
      return need('error', `Nothing moves to ${name}`, 'Look at its oldest transfers and at the tasks that send.')
    }
    return []
  })
}

/**
 * A task that is due may have to wait for others of its kind. While no task at all goes on, or has begun since, nobody is there who
 * runs them.
 */
function idleNeeds({ taskList, now }: NeedsGround): Need[] {
  if (taskList.some(({ state }) => state === 'running')) return []
  const due = taskList.flatMap(({ state, next_run }) => (state === 'waiting' && next_run !== null ? next_run : []))
  const overdue = due.filter(time => millisecondsOf(now) - millisecondsOf(time) > IDLE_MS).toSorted()
  const [first] = overdue
  if (first === undefined || taskList.some(({ started }) => started !== null && started > first)) return []
  const since = `${first.slice(0, 16).replace('T', ' ')} UTC`
  return [
    {
      severity: 'error',
      title: 'Nobody runs the tasks',
      detail: `${overdue.length === 1 ? '1 is' : `${overdue.length} are`} overdue, the first since ${since}: nothing is sent, read or repaired.`,
      next_step: 'Start a worker (arriero worker); its log says what is in its way.',
      page: '/tasks',
    },
  ]
}

function taskNeeds({ taskList }: NeedsGround): Need[] {
  const failed = taskList.filter(({ outcome }) => outcome === 'failed').map(({ name }) => name)
  if (failed.length === 0) return []
  const next_step = 'Read what its last run says, mend that, and run it now.'
  const title = failed.length === 1 ? 'A task failed' : `${failed.length} tasks failed`
  return [{ severity: 'warning', title, detail: failed.slice(0, 5).join(', '), next_step, page: '/tasks' }]
}

/** Their texts are for administrators. */
function errorNeeds({ errors }: NeedsGround): Need[] {
  const grave = errors.filter(({ severity }) => severity !== 'info')
  return [...Map.groupBy(grave, ({ category }) => category)].map(([category, some]): Need => {
    const isSevere = some.some(({ severity }) => severity === 'critical' || severity === 'error')
    const newest = some
      .map(({ raisedTime }) => raisedTime)
      .toSorted()
      .at(-1)!
    const what = category.replaceAll('_', ' ')
    return {
      severity: isSevere ? 'error' : 'warning',
      title: some.length === 1 ? `An error is not cleared: ${what}` : `${some.length} errors are not cleared: ${what}`,
      detail: `The newest is of ${newest.slice(0, 16).replace('T', ' ')} UTC.`,
      next_step: 'Read them, and clear what was dealt with.',
      page: '/errors',
    }
  })
}

function proposalNeeds({ proposals }: NeedsGround): Need[] {
  if (proposals === 0) return []
  const title =
    proposals === 1 ? 'A file is proposed to be destroyed' : `${proposals} files are proposed to be destroyed`
  const next_step = 'Another administrator may confirm it within a day, or let it pass.'
  return [{ severity: 'warning', title, detail: 'Nothing goes before that.', next_step, page: '/files' }]
}
