import type { HookName, Hooks } from '../hooks.ts'

/** Every hook, in the order of the stages. A record, so that none can be forgotten. */
const all: Record<HookName, true> = {
  onListPage: true,
  onFile: true,
  onPlan: true,
  resolve: true,
  credentials: true,
  onResource: true,
  onPart: true,
  onResponse: true,
  onChunk: true,
  onPartDone: true,
  onRetry: true,
  onHedge: true,
  transform: true,
  onVerify: true,
  onFileDone: true,
  onDone: true,
}

/** What else an object of hooks may say. */
const others: Record<Exclude<keyof Hooks, HookName | symbol>, true> = {
  chunkOrder: true,
  advisory: true,
  timeoutMs: true,
  close: true,
}

export const hookNames = Object.keys(all) as readonly HookName[]
export const settingNames = Object.keys(others)

export function isHookName(name: string): name is HookName {
  return Object.hasOwn(all, name)
}
