import type { EngineParts } from '../../engine.ts'
import type { RunOptions } from '../options.ts'
import type { StageDefinition } from '../stage.ts'
import type { AppendDefinition } from '../stages/append.ts'
import type { PipelineState } from './state.ts'

/** What this run writes down, and where. */
export async function openState(
  definitions: readonly StageDefinition[],
  { state, fresh }: RunOptions,
  engine: EngineParts,
): Promise<PipelineState> {
  const last = definitions.at(-1)
  const output = last?.kind === 'append' ? (last as AppendDefinition).path : undefined
  if (state === undefined) return (await import('./unrecorded.ts')).openUnrecorded(output, engine)
  const stages = definitions.map(({ name }) => name)
  return (await import('./file-state.ts')).openFileState({ path: state, stages, output, isFresh: fresh })
}
