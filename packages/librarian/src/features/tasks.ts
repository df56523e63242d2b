/** Recurring tasks of the settings, and the engine that brings them and all other background work. */
import type { Settings } from '../config.ts'
import type { TaskEngine } from '../engine/engine.ts'
import type { Route } from '../routes/route.ts'
import { taskRoutes } from '../routes/tasks.ts'
import type { RunTaskOptions } from '../tasks/run-task.ts'
import { createScheduler, type Scheduler } from '../tasks/scheduler.ts'
import type { TaskKind } from '../tasks/task.ts'

export interface TaskFeatureOptions extends RunTaskOptions {
  readonly settings: Pick<Settings, 'background'>
  readonly engine: TaskEngine
  /** Of all features. */
  readonly kinds: readonly TaskKind[]
}

export interface TaskFeature {
  readonly scheduler: Scheduler
  readonly routes: readonly Route[]
  work(signal: AbortSignal): Promise<void>
  close(): Promise<void>
}

export function createTaskFeature(options: TaskFeatureOptions): TaskFeature {
  const { settings, engine } = options
  const scheduler = createScheduler({ ...options, settings: settings.background })
  return {
    scheduler,
    routes: taskRoutes(scheduler),
    async work(signal) {
      await scheduler.start()
      await engine.work(signal)
    },
    close: async () => await engine[Symbol.asyncDispose](),
  }
}
