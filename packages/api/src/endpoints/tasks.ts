/** Ours: recurring background tasks, as the settings name them (librarian 12). */
import { z } from 'zod'
import { endpoint } from '../endpoint.ts'
import { naive, text } from '../values/lax.ts'

/** `interrupted`: its process was lost, and nobody has gone on yet; `off`: it runs when somebody asks for it. */
export const taskStates = ['waiting', 'running', 'interrupted', 'off'] as const
/** `partial`: its next run goes on; `off`: the settings name what is not there; `interrupted`: its process stopped. */
export const taskOutcomes = ['done', 'partial', 'failed', 'off', 'interrupted'] as const

/** What a task is doing. */
export type TaskStateName = (typeof taskStates)[number]
/** How a run of a task ended. */
export type TaskOutcome = (typeof taskOutcomes)[number]

const task = z.object({
  id: z.string(),
  /** Key of the settings, as `check_integrity`. */
  kind: z.string(),
  /** `task_name` of the settings. */
  name: z.string(),
  state: z.enum(taskStates),
  /** Of the run that goes on, or else of the last one. */
  started_time: naive.nullable(),
  /** Of the last run that ended, with what came of it. */
  ended_time: naive.nullable(),
  outcome: z.enum(taskOutcomes).nullable(),
  note: z.string().nullable(),
  /** Of the run that goes on, or else of the last one. */
  counts: z.record(z.string(), z.number()),
  /** Null: it runs, or not by itself. */
  next_time: naive.nullable(),
})

export const tasks = {
  list: endpoint({
    path: 'tasks/list',
    level: 'ADMIN',
    summary: 'List recurring tasks with their last and next runs.',
    request: z.object({}),
    answer: z.object({ tasks: z.array(task) }),
    mutates: false,
    isOurs: true,
  }),
  run: endpoint({
    path: 'tasks/run',
    level: 'ADMIN',
    summary: 'Have a task run as soon as a worker can; one that runs already runs again.',
    request: z.object({ id: text.min(1).max(256) }),
    answer: task,
    failures: { NotFound: { status: 404, reason: request => `No task found with ID ${request.id}.` } },
    mutates: true,
    isOurs: true,
  }),
}
