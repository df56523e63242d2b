import type { Hooks } from '@arriero/transfer'

const module = new URL('./check-text-thread.ts', import.meta.url)

/** Refuses files that are no plain text, and numbers their lines. Both are done in threads. */
const checkText: Hooks = {
  onChunk: { module, export: 'isText' },
  transform: { module, export: 'numbered' },
  timeoutMs: 60_000,
}

export default checkText
