import { type CompletePipeline, loadEngine, type OptionDefinition } from '../engine.ts'
import { ProgramError } from '../errors.ts'
import { defaultExportOf, loadUserModule, untilAborted, userError } from '../user-module.ts'
import type { RunFlags } from './run-flags.ts'

export interface LoadedPipeline {
  /** As the user named it. */
  readonly path: string
  readonly about: string | undefined
  /** Undefined where a plain function takes whatever it is given. */
  readonly options: Readonly<Record<string, OptionDefinition>> | undefined
  /** @param isShown it will not run: what must be given and is not is called by its name */
  make(isShown?: boolean): Promise<CompletePipeline<unknown, unknown>>
}

/**
 * The pipeline of a module: one that is made already, one with options (`define`), or a function that makes one from the
 * options as texts. It is made only when it is to be run: options may be missing when one asks which there are.
 */
export async function loadPipeline(path: string, flags: RunFlags, signal: AbortSignal): Promise<LoadedPipeline> {
  const { isPipeline, isPipelineDefinition, TransferError } = await loadEngine()
  const values = readOptions(flags.option ?? [])
  const module = await loadUserModule(path, signal)
  const found = defaultExportOf(module, 'a pipeline, or define({ … })', (value): value is object => {
    return isPipeline(value) || isPipelineDefinition(value) || typeof value === 'function'
  })
  if (isPipelineDefinition(found)) {
    const { about, options } = found
    const make = (isShown = false) => made(() => found.make(isShown ? { ...placeholders(options), ...values } : values))
    return { path, about, options, make }
  }
  if (isPipeline(found)) {
    const [name] = Object.keys(values)
    if (name === undefined) return { path, about: undefined, options: {}, make: async () => found }
    throw new ProgramError('Usage', `The pipeline in ${path} has no options, got ${name}.`, {
      remedy: 'Let it have some: export default define({ options, make }).',
    })
  }
  return { path, about: undefined, options: undefined, make }

  async function make(): Promise<CompletePipeline<unknown, unknown>> {
    const given: unknown = await made(async () => (found as (options: typeof values) => unknown)(values))
    if (isPipeline(given)) return given
    throw new ProgramError('Usage', `The function that ${path} exports must return a pipeline.`, {
      remedy: 'Return what pipeline(…) and its stages gave.',
    })
  }

  /** The user's code: it may throw, and it may wait for ever. */
  async function made<T>(make: () => Promise<T>): Promise<T> {
    try {
      return await untilAborted(make(), signal)
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof TransferError || error instanceof ProgramError) throw error
      throw userError(`Cannot make the pipeline of ${path}`, error, path)
    }
  }
}

function placeholders(options: Readonly<Record<string, OptionDefinition>>): Record<string, string> {
  const missing = Object.entries(options).filter(([, { default: standard }]) => standard === undefined)
  return Object.fromEntries(missing.map(([name, { choices }]) => [name, choices?.[0] ?? name.toUpperCase()]))
}

function readOptions(given: readonly string[]): Record<string, string> {
  const values: Record<string, string> = {}
  for (const text of given) {
    const cut = text.indexOf('=')
    const name = text.slice(0, cut)
    if (cut < 1) throw new ProgramError('Usage', `--option must be NAME=VALUE, got ${text}.`)
    if (Object.hasOwn(values, name)) throw new ProgramError('Usage', `--option ${name} was given twice.`)
    values[name] = text.slice(cut + 1)
  }
  return values
}
