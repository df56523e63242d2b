/** Recurring tasks: when they ran, what came of it, and one at once (ours). */
import { type AnswerInput, endpoints } from '@arriero/api'
import type { TaskState } from '../catalogue/operations/tasks.ts'
import type { Scheduler } from '../tasks/scheduler.ts'
import { type Route, route } from './route.ts'

const { tasks } = endpoints

export function taskRoutes(scheduler: Pick<Scheduler, 'list' | 'runNow'>): Route[] {
  return [
    route(tasks.list, async () => ({ tasks: (await scheduler.list()).map(taskAnswer) })),
    route(tasks.run, async ({ id }, { act }) => taskAnswer(await scheduler.runNow(id, act))),
  ]
}

function taskAnswer({ started, ended, next_run, counts, ...task }: TaskState): AnswerInput<typeof tasks.run> {
  return {
    ...task,
    counts: JSON.parse(counts) as Record<string, number>,
    started_time: started,
    ended_time: ended,
    next_time: next_run,
  }
}
