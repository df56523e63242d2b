/** Fetching a whole manifest: the door of `manifest-rounds.ts`. */
import { createEngine, type Engine, partsOf } from './engine.ts'
import { withHooks } from './hooks/open-hooks.ts'
import type { Row } from './manifest/entry.ts'
import type { DownloadManifestOptions, ManifestResult, ManifestRun } from './manifest/run.ts'
import { ManifestRounds, type OpenedOptions } from './manifest-rounds.ts'
import { runWhenRead } from './run-when-read.ts'
import { Channel } from './sinks/channel.ts'

/**
 * Fetches what a manifest lists. No row is passed over in silence, and a failure of one stops no other, unless
 * `continueAfterError` is false. A row that an earlier run has fetched is not fetched again.
 *
 * @example
 * ```ts
 * const rows = parseManifest(createReadStream('manifest.json'))
 * const run = downloadManifest(rows, { directory: 'data', state: 'data/.transfer/proven' })
 * for await (const { outcome } of run) if (!outcome.ok) console.error(outcome.object_id, outcome.error)
 * ```
 */
export function downloadManifest(
  rows: AsyncIterable<readonly Row[]>,
  options: DownloadManifestOptions = {},
): ManifestRun {
  return runWhenRead(signal => {
    const own = options.engine ? undefined : createEngine()
    const engine = options.engine ?? (own as Engine)
    const results = new Channel<ManifestResult>()
    let rounds: ManifestRounds | undefined
    const begin = (opened: OpenedOptions) => {
      rounds = new ManifestRounds(rows[Symbol.asyncIterator](), opened, results)
      return rounds.go()
    }
    const running = withHooks(partsOf(engine), { ...options, engine, signal }, begin, () => rounds?.end ?? NOTHING)
    const told = running.then(
      summary => {
        results.end()
        return summary
      },
      error => {
        results.fail(error)
        throw error
      },
    )
    return { results: results.bytes(), total: told.finally(() => own?.close()) }
  }, options.signal)
}

/** The end of a run that never began. */
const NOTHING = { files: 0, failed: 0, bytes: 0 }
