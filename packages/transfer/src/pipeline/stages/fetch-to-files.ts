import { downloadWith } from '../../download.ts'
import { fileNameFor } from '../../names/file-name.ts'
import type { ItemContext } from '../item.ts'
import type { Placed } from '../located.ts'
import type { StageRun } from '../stage.ts'
import type { FetchToFiles, OptionsFor } from './fetch-options.ts'
import type { Fetched, Take } from './fetched.ts'
import { Targets } from './targets.ts'

/** Content in a file, verified and durable. */
export interface FetchedFile extends Fetched {
  /** Absolute. */
  readonly path: string
}

/** Far more than the engine lets at a server at once: the others wait for the sync that they share. */
const FILES_AT_ONCE = 256

export function toFiles(
  { engine }: StageRun,
  options: FetchToFiles,
  optionsFor: OptionsFor,
): { readonly take: Take<FetchedFile>; readonly concurrency: number } {
  const targets = new Targets(options.directory)
  const { ifExists = 'overwrite' } = options
  const take: Take<FetchedFile> = async (placed, item) => {
    const path = await targets.take(pathOf(placed, item, options), item)
    const own = { ...optionsFor(placed, item), ifExists }
    const result = await downloadWith(engine, placed.uris[0], { path }, own, { root: targets.directory })
    const { uri, bytes: size, resource, verification } = result
    item.outputs.push({ path: result.path, size })
    return { uri, path: result.path, size, resource, verification }
  }
  return { take, concurrency: FILES_AT_ONCE }
}

function pathOf(placed: Placed, item: ItemContext, { path }: FetchToFiles): string {
  if (path) return path(placed, item as ItemContext<never>)
  return placed.path ?? fileNameFor({ url: placed.uris[0] })
}
