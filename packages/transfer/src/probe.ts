import { withCall } from './engine.ts'
import type { FetchOptions } from './options.ts'
import type { Resource } from './resource.ts'

/** What the source says of a resource, without taking its body. */
export function probe(uri: string, options: FetchOptions = {}): Promise<Resource> {
  return withCall(options, async (engine, opened) => {
    const [source] = await engine.openSources([uri], opened)
    try {
      return await (source as NonNullable<typeof source>).probe({
        signal: options.signal ?? new AbortController().signal,
      })
    } finally {
      await source?.close()
    }
  })
}
