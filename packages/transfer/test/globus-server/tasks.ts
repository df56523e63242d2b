/** Tasks of the transfer service: each copies between two directories that stand for endpoints, when it is let. */
import { randomUUID } from 'node:crypto'
import { cp, lstat, mkdir } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { SubmittedBatch } from './submissions.ts'

export interface GlobusEvent {
  readonly code: string
  readonly description: string
  readonly is_error: boolean
}

export interface GlobusTask {
  readonly id: string
  readonly batch: SubmittedBatch
  status: 'ACTIVE' | 'INACTIVE' | 'SUCCEEDED' | 'FAILED'
  fatal_error: { code: string; description: string } | null
  nice_status: string | null
  bytes: number
  readonly events: GlobusEvent[]
  readonly requested: Date
  completed: Date | null
}

export class Tasks {
  readonly all: GlobusTask[] = []
  /** Endpoint to the directory that it shows. */
  readonly endpoints = new Map<string, string>()
  /** New tasks wait until they are let go on. */
  isHeld = false
  readonly #submitted = new Map<string, GlobusTask>()
  readonly #moving = new Set<Promise<void>>()

  /** @returns the task; the one that there is for a submission that comes again */
  submit(batch: SubmittedBatch): { readonly task: GlobusTask; readonly isDuplicate: boolean } {
    const known = this.#submitted.get(batch.submission_id)
    if (known) return { task: known, isDuplicate: true }
    const task: GlobusTask = {
      id: randomUUID(),
      batch,
      status: 'ACTIVE',
      fatal_error: null,
      nice_status: 'OK',
      bytes: 0,
      events: [{ code: 'STARTED', description: 'started', is_error: false }],
      requested: new Date(),
      completed: null,
    }
    this.#submitted.set(batch.submission_id, task)
    this.all.push(task)
    if (!this.isHeld) this.goOn(task)
    return { task, isDuplicate: false }
  }

  /** Moves its items, one after the other. */
  goOn(task: GlobusTask): void {
    const moving = this.#move(task).catch(error => fault(task, faultOf(error), String(error)))
    this.#moving.add(moving)
    moving.finally(() => this.#moving.delete(moving))
  }

  /** Nothing is written any more afterwards, not even by a task that was cancelled half-way. */
  async end(): Promise<void> {
    for (const task of this.all) this.cancel(task)
    await Promise.all(this.#moving)
  }

  cancel(task: GlobusTask): boolean {
    if (task.status !== 'ACTIVE') return false
    fail(task, 'CANCELED', 'canceled by the user')
    return true
  }

  async #move(task: GlobusTask): Promise<void> {
    const from = this.endpoints.get(task.batch.source_endpoint) as string
    const to = this.endpoints.get(task.batch.destination_endpoint) as string
    for (const { source_path, destination_path, recursive } of task.batch.DATA) {
      const source = resolve(from, source_path)
      const target = resolve(to, `.${destination_path}`)
      if ((await lstat(source)).isDirectory() !== recursive) throw Object.assign(new Error(), { code: 'EISDIR' })
      if (task.status !== 'ACTIVE') return
      await mkdir(dirname(target), { recursive: true })
      // sync_level 0: what exists is left alone.
      await cp(source, target, { recursive, force: false, preserveTimestamps: true })
      task.bytes += (await lstat(source)).size
    }
    if (task.status !== 'ACTIVE') return
    task.status = 'SUCCEEDED'
    task.completed = new Date()
  }
}

export function fail(task: GlobusTask, code: string, description: string): void {
  task.status = 'FAILED'
  task.fatal_error = { code, description }
  task.nice_status = code
  task.completed = new Date()
}

/** The service goes on with a task that met one, for days. */
export function fault(task: GlobusTask, code: string, description: string): void {
  task.events.push({ code, description, is_error: true })
}

function faultOf({ code }: NodeJS.ErrnoException): string {
  if (code === 'ENOENT') return 'FILE_NOT_FOUND'
  if (code === 'EISDIR') return 'IS_A_DIRECTORY'
  return code === 'ENOTDIR' || code === 'EEXIST' ? 'INVALID_PATH_NAME' : 'PERMISSION_DENIED'
}
