import { fetchInto } from '../../iterate.ts'
import { redactUrl } from '../../redact.ts'
import { createMemorySink } from '../../sinks/memory.ts'
import type { ItemContext, ItemInFlight } from '../item.ts'
import { locatedOf } from '../located.ts'
import type { Stage, StageRun } from '../stage.ts'
import type { OptionsFor } from './fetch-options.ts'
import type { Fetched, Take } from './fetched.ts'

/** Content in memory, verified. The bytes lie in shared memory, so that threads read them where they are. */
export interface FetchedBytes extends Fetched {
  readonly bytes: Uint8Array
}

export function toMemory(
  { engine, memory }: StageRun,
  { maxItemBytes = 1 << 30 }: { readonly maxItemBytes?: number | undefined },
  optionsFor: OptionsFor,
): { readonly take: Take<FetchedBytes>; readonly concurrency: number; readonly needs: Stage['needs'] } {
  const take: Take<FetchedBytes> = async (placed, item) => {
    const [uri] = placed.uris
    const fetched = await fetchInto(
      engine,
      uri,
      optionsFor(placed, item),
      () => createMemorySink({ maxBytes: maxItemBytes, isShared: true }),
      undefined,
      ({ size }) => size !== undefined && memory.settle(item, size),
    )
    const { result: bytes, resource, verification } = fetched
    memory.settle(item, bytes.byteLength)
    return { uri: redactUrl(uri), bytes, size: bytes.byteLength, resource, verification }
  }
  const needs = (value: unknown, item: ItemContext) =>
    locatedOf(value)?.size ?? (item as ItemInFlight).earlier?.version?.size
  return { take, concurrency: 16, needs }
}
