import type { CompletePipeline, PipelineSummary, RunOptions } from '@arriero/transfer'

/**
 * The same pipeline with some options of a run settled, and somebody who hears of its end.
 *
 * @param onEnd not called for a run that was left early or failed as a whole; `beganAt` as of `performance.now()`
 */
export function timed<Item, Value>(
  inner: CompletePipeline<Item, Value>,
  settled: RunOptions,
  onEnd: (summary: PipelineSummary, beganAt: number) => void,
): CompletePipeline<Item, Value> {
  const start: typeof inner.start = options => {
    const run = inner.start({ ...options, ...settled })
    const { progress, summary } = run
    const results = async function* () {
      const beganAt = performance.now()
      yield* run
      onEnd(await summary, beganAt)
    }
    return { progress, summary, [Symbol.asyncIterator]: results }
  }
  return {
    stages: inner.stages,
    start,
    async run({ onResult, ...options } = {}) {
      const run = start(options)
      for await (const result of run) await onResult?.(result)
      return run.summary
    },
  }
}
