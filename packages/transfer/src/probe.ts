import { withEngine } from './engine.ts'
import type { FetchOptions } from './options.ts'
import type { Resource } from './resource.ts'

/** What the source says of a resource, without taking its body. */
export function probe(uri: string, options: FetchOptions = {}): Promise<Resource> {
  return withEngine(options, async engine => {
    const [source] = await engine.openSources([uri], options)
    try {
      return await (source as NonNullable<typeof source>).probe({
        signal: options.signal ?? new AbortController().signal,
      })
    } finally {
      await source?.close()
    }
  })
}
