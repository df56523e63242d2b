import { describeState } from '../../../test/state-suite.ts'
import { createMemoryState, emptyState } from './memory-state.ts'

describeState('createMemoryState()', async () => {
  const kept = emptyState()
  return {
    open: async () => createMemoryState(kept),
    output: async () => Buffer.concat(kept.lines).toString(),
    [Symbol.asyncDispose]: async () => {},
  }
})
