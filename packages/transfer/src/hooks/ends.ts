/** What is told at the end, in every mode alike. */
import type { FileEnd, RunEnd } from '../hooks.ts'
import type { Entry } from '../manifest/entry.ts'
import { redactUrl } from '../redact.ts'
import type { Task } from '../task.ts'
import type { ActiveHooks } from './active-hooks.ts'

export async function tellDone(task: Task, file: string | undefined, end: FileEnd): Promise<void> {
  if (task.hooks?.has('onFileDone')) await task.hooks.tellDone({ uri: task.shownUri, file, ...end })
}

/** What went wrong first is what is reported: a failure of the hook is passed over. */
export async function tellFailed(task: Task, file: string | undefined, error: unknown, bytes: number): Promise<void> {
  await tellDone(task, file, { error, bytes, verification: undefined }).catch(() => {})
}

/** An entry that failed before anything was asked of its source. */
export async function tellUnbegun(
  hooks: ActiveHooks | undefined,
  { uris: [uri = ''], path: file }: Entry,
  error: unknown,
  signal: AbortSignal,
): Promise<void> {
  if (!hooks?.has('onFileDone')) return
  const end = { uri: redactUrl(uri), file, error, bytes: 0, verification: undefined }
  await hooks.tellEnd('onFileDone', end, signal).catch(() => {})
}

/** A call for one file. `bytes` is undefined where it failed. */
export function endOfOne(bytes: number | undefined): RunEnd {
  return { files: 1, failed: bytes === undefined ? 1 : 0, bytes: bytes ?? 0 }
}
