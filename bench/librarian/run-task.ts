/** One run of a recurring task of a librarian, asked for and waited for. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Connection } from '@arriero/api'
import type { TaskCounts } from '../../packages/librarian/src/tasks/task.ts'
import type { Served } from './serve.ts'

export interface TaskRun {
  /** From its first step to its last, s: without the time until somebody took it. */
  readonly seconds: number
  readonly counts: TaskCounts
}

type Task = Awaited<ReturnType<Connection['tasks']['list']>>['tasks'][number]

export interface RunTaskOptions {
  /** It does not run at the start of its librarian. Default: that run is waited for. */
  readonly isTimed?: boolean
  /** Told how far it is, every so often. */
  readonly progress?: (counts: TaskCounts) => Promise<void>
}

/** @throws where it did not do all that there was */
export async function runTask(
  { librarian }: Served,
  name: string,
  { progress, isTimed = false }: RunTaskOptions = {},
): Promise<TaskRun> {
  const find = async () => {
    const task = (await librarian.tasks.list()).tasks.find(one => one.name === name)
    if (!task) throw new Error(`there is no task ${name}`)
    return task
  }
  const until = async (isIt: (task: Task) => boolean) => {
    for (;;) {
      const task = await find()
      if (isIt(task)) return task
      if (task.state === 'running') await progress?.(task.counts)
      await sleep(20)
    }
  }
  const before = await until(({ state, ended_time }) => isTimed || (state !== 'running' && ended_time !== null))
  await librarian.tasks.run({ id: before.id })
  const task = await until(({ state, ended_time }) => state !== 'running' && ended_time !== before.ended_time)
  if (task.outcome !== 'done') throw new Error(`the task ${name} is ${task.outcome}: ${task.note}`)
  return { seconds: (timeOf(task.ended_time) - timeOf(task.started_time)) / 1000, counts: task.counts }
}

function timeOf(naive: string | null): number {
  return Date.parse(`${naive}Z`)
}
