import type { FetchOptions, FileOptions } from '../../options.ts'
import type { ItemContext, ItemInFlight } from '../item.ts'
import type { Located, Placed } from '../located.ts'
import type { StageOptions } from '../stage.ts'

/** Of all that a fetch understands, what belongs to an item or to the run is left out. */
type Common = StageOptions &
  Omit<FetchOptions, 'engine' | 'signal' | 'concurrency' | 'retries' | 'mirrors' | 'size' | 'range'>

/** Options of a stage that fetches into memory. */
export interface FetchToMemory extends Common {
  /** Refuse content larger than this. Default 1 GiB. */
  readonly maxItemBytes?: number | undefined
}

/** Options of a stage that fetches into files. */
export interface FetchToFiles extends Common, Omit<FileOptions, 'ifExists'> {
  /** Where the files go. */
  readonly directory: string
  /** Name of an item's file, relative to the directory. Default: `path` of its place, else the name of its URL. */
  readonly path?: ((located: Located, item: ItemContext<never>) => string) | undefined
  /** What is done when the file is there. Default `overwrite`. */
  readonly ifExists?: FileOptions['ifExists']
}

/** The options of one item's fetch, its own before those of the stage, these before those of the run. */
export type OptionsFor = (placed: Placed, item: ItemInFlight) => FetchOptions
