/** An engine whose resources lie in memory, and go wrong as a test asks for. */
import { onTestFinished } from 'vitest'
import { createParts, type EngineParts } from '../src/engine.ts'
import type { EngineOptions } from '../src/options.ts'
import type { FetchRequest, Source } from '../src/source.ts'
import { createMemorySource, type MemorySourceOptions } from '../src/sources/memory.ts'

export interface MemoryEngine {
  readonly engine: EngineParts
  /** Content by URI; may be changed at any time. */
  readonly files: Map<string, Uint8Array>
  /** Every request that reached a source, in order. */
  readonly requests: FetchRequest[]
  /** Requests under way. */
  active(): number
}

export interface MemoryEngineOptions extends EngineOptions {
  readonly source?: MemorySourceOptions | undefined
  /** Before a request is answered: wait, throw, or let it pass. */
  readonly onRequest?: ((request: FetchRequest, index: number) => unknown) | undefined
}

export function memoryEngine(
  contents: Readonly<Record<string, Uint8Array>>,
  { source: sourceOptions, onRequest, ...options }: MemoryEngineOptions = {},
): MemoryEngine {
  const engine = createParts(options)
  const files = new Map(Object.entries(contents))
  const requests: FetchRequest[] = []
  let active = 0
  const wrap = (source: Source): Source => ({
    uri: source.uri,
    origin: source.origin,
    capabilities: source.capabilities,
    probe: given => source.probe(given),
    async fetch(request) {
      requests.push(request)
      active++
      try {
        await onRequest?.(request, requests.length - 1)
        await source.fetch(request)
      } finally {
        active--
      }
    },
    close: () => source.close(),
  })
  Object.assign(engine, {
    openSources: async (uris: readonly string[]) =>
      uris.map(uri => wrap(createMemorySource(files, { ...sourceOptions, uri }))),
  } satisfies Partial<EngineParts>)
  onTestFinished(() => engine.close())
  return { engine, files, requests, active: () => active }
}
