import { TransferError } from '../errors.ts'
import type { CompletePipeline } from './pipeline.ts'

/** An option of a pipeline, as `--option NAME=VALUE` gives it. */
export interface OptionDefinition {
  readonly about: string
  /** Its type is the option's: text, number, or yes and no. Without one it must be given, as text. */
  readonly default?: string | number | boolean | undefined
  /** The only values that it takes. */
  readonly choices?: readonly string[] | undefined
}

type Options<Definitions> = { readonly [Name in keyof Definitions]: Value<Definitions[Name]> }
type Value<Definition> = Definition extends { readonly choices: readonly (infer Choice)[] }
  ? Choice
  : Definition extends { readonly default: infer Default }
    ? Widened<Default>
    : string
type Widened<T> = T extends string ? string : T extends number ? number : T extends boolean ? boolean : T

/** A pipeline with what a program must know to run it. */
export interface PipelineDefinition {
  readonly about: string
  readonly options: Readonly<Record<string, OptionDefinition>>
  /** @throws TransferError Usage where the values do not fit; the message names the option */
  make(values: Readonly<Record<string, string>>): Promise<CompletePipeline<unknown, unknown>>
}

/**
 * A pipeline for `arriero run`, with options that its users may set.
 *
 * @example
 * ```ts
 * import { define, pipeline } from '@arriero/transfer'
 *
 * export default define({
 *   about: 'Fetches what a list names, one URL a line.',
 *   options: { directory: { about: 'where the files go', default: 'data' } },
 *   make: ({ directory }) => pipeline(['https://data.example.org/a.nc']).fetch({ directory }),
 * })
 * ```
 */
export function define<const Definitions extends Readonly<Record<string, OptionDefinition>>>(definition: {
  readonly about: string
  readonly options?: Definitions
  make(
    options: Options<Definitions>,
  ): CompletePipeline<never, never> | CompletePipeline<unknown, unknown> | Promise<unknown> | unknown
}): PipelineDefinition {
  const { about, options = {}, make } = definition
  return {
    about,
    options,
    async make(values) {
      const made: unknown = await make(readOptions(options, values) as Options<Definitions>)
      if (isPipeline(made)) return made
      throw new TransferError('Usage', 'Cannot run the pipeline: its `make` must return what pipeline(…) gave')
    },
  }
}

/** Whether a module's export is a pipeline. */
export function isPipeline(value: unknown): value is CompletePipeline<unknown, unknown> {
  const { run, start, stages } = (value ?? {}) as Record<string, unknown>
  return typeof run === 'function' && typeof start === 'function' && Array.isArray(stages)
}

/** Whether a module's export is what `define()` gives. */
export function isPipelineDefinition(value: unknown): value is PipelineDefinition {
  const { make, options, about } = (value ?? {}) as Record<string, unknown>
  return typeof make === 'function' && typeof options === 'object' && typeof about === 'string'
}

function readOptions(
  definitions: Readonly<Record<string, OptionDefinition>>,
  values: Readonly<Record<string, string>>,
): Readonly<Record<string, unknown>> {
  for (const name of Object.keys(values)) if (!Object.hasOwn(definitions, name)) throw unknownOption(name, definitions)
  return Object.fromEntries(
    Object.entries(definitions).map(([name, definition]) => [name, readOption(name, definition, values[name])]),
  )
}

function readOption(name: string, { default: standard, choices }: OptionDefinition, text: string | undefined): unknown {
  if (text === undefined) {
    if (standard !== undefined) return standard
    throw new TransferError('Usage', `The option ${name} is missing`, { remedy: `Say --option ${name}=VALUE.` })
  }
  if (choices && !choices.includes(text)) throw wrongOption(name, text, `one of ${choices.join(', ')}`)
  if (typeof standard === 'number') {
    const number = Number(text)
    if (text.trim() === '' || !Number.isFinite(number)) throw wrongOption(name, text, 'a number')
    return number
  }
  if (typeof standard !== 'boolean') return text
  if (['yes', 'true'].includes(text)) return true
  if (['no', 'false'].includes(text)) return false
  throw wrongOption(name, text, 'yes or no')
}

function wrongOption(name: string, text: string, wanted: string): TransferError {
  return new TransferError('Usage', `The option ${name} must be ${wanted}, got "${text}"`)
}

function unknownOption(name: string, definitions: object): TransferError {
  const names = Object.keys(definitions)
  const there = names.length === 0 ? 'it has none' : `it has ${names.join(', ')}`
  return new TransferError('Usage', `The pipeline has no option ${name}: ${there}`)
}
