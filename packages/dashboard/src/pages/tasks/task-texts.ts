import type { AnswerOf, endpoints } from '@arriero/api'
import { formatCount } from '../../text/bytes.ts'
import { formatDuration, parseTime } from '../../text/time.ts'

type Task = AnswerOf<typeof endpoints.tasks.list>['tasks'][number]

/** `read 1,200, bad 2`; nothing is left out, so that a 0 is seen as one. */
export function countsText(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${name.replaceAll('_', ' ')} ${formatCount(count)}`)
    .join(', ')
}

/** How long the last run took, or how long ago the present one began. Empty: not known. */
export function runText({ state, started_time, ended_time }: Task, now = Date.now()): string {
  if (started_time === null) return ''
  const began = parseTime(started_time)
  if (state === 'running') return `for ${formatDuration((now - began) / 1000)}`
  if (ended_time === null || parseTime(ended_time) < began) return ''
  return `took ${formatDuration((parseTime(ended_time) - began) / 1000)}`
}

/** What a person should see first has the least number. */
export function rankOf({ state, outcome }: Pick<Task, 'state' | 'outcome'>): number {
  if (outcome === 'failed') return 0
  if (state === 'interrupted' || outcome === 'interrupted') return 1
  if (state === 'running') return 2
  return state === 'off' || outcome === 'off' ? 4 : 3
}
