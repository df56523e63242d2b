import { isAbsolute } from 'node:path'
import { pathToFileURL } from 'node:url'
import { TransferError } from '../../errors.ts'
import { stageError } from '../failure.ts'
import type { ItemContext } from '../item.ts'
import { drop, type StageDefinition, type StageOptions, type StageRun } from '../stage.ts'

/** Calls for each thread: one that it works on, and one that waits, so that no thread is ever idle. */
const CALLS_PER_THREAD = 2

/** An export of a module, called in the engine's threads: for work that takes time. */
export function mapInThreads(
  module: string | URL,
  exported: string,
  name: string,
  options: StageOptions,
): StageDefinition {
  const url = moduleUrl(module, name)
  const file = url.slice(url.lastIndexOf('/') + 1)
  // The thread is what a time limit ends; the schedule has nothing to add.
  const { timeoutMs, ...others } = options
  return {
    kind: 'map',
    name,
    options: others,
    about: `${exported} of ${file}, in threads`,
    async start({ engine, signal }: StageRun) {
      await engine.cpu.check({ module: url, name: exported, signal }).catch(error => {
        signal.throwIfAborted()
        const { message } = stageError(error, name)
        throw new TransferError('Usage', message, { cause: error, remedy: `Correct ${file}.` })
      })
      return {
        concurrency: engine.cpu.size * CALLS_PER_THREAD,
        async run(value: unknown, item: ItemContext) {
          const context = contextOf(item)
          const args = [value]
          const result = await engine.cpu
            .run({ module: url, name: exported, args, context, signal: item.signal, timeoutMs })
            .catch(error => {
              for (const text of error?.warnings ?? []) item.warn(text)
              throw error
            })
          for (const text of result.warnings) item.warn(text)
          return result.isDropped ? drop(result.value as string | undefined) : result.value
        },
      }
    },
  }
}

/** What a thread can be told. */
function contextOf({ item, index, key, stage, attempt }: ItemContext): object {
  return { item, index, key, stage, attempt }
}

function moduleUrl(module: string | URL, stage: string): string {
  if (module instanceof URL) return module.href
  if (/^file:/.test(module)) return module
  if (isAbsolute(module)) return pathToFileURL(module).href
  throw new TransferError('Usage', `${stage}: the module must be a file: URL or an absolute path, got ${module}`, {
    remedy: `Say new URL('${module}', import.meta.url).`,
  })
}
