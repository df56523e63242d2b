import type { Entry } from '../manifest/entry.ts'
import { redactUrl } from '../redact.ts'
import type { ActiveHooks } from './active-hooks.ts'

/** The entry as `onFile` wants it; undefined: it is not to be fetched. */
export async function askFile(hooks: ActiveHooks, entry: Entry, signal: AbortSignal): Promise<Entry | undefined> {
  const about = { uri: redactUrl(entry.uris[0] ?? ''), path: entry.path, size: entry.size }
  const verdict = await hooks.askFile(about, signal)
  if (verdict === 'skip') return undefined
  if (verdict === undefined) return entry
  const { path, priority = entry.priority } = verdict
  return { ...entry, path, priority }
}
