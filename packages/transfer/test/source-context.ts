import { createOrigins, type Origins } from '../src/http/origins.ts'
import type { SourceContext } from '../src/sources/context.ts'
import { openSource } from '../src/sources/registry.ts'

/** What the engine gives to sources that it opens, for tests of one source. */
export function sourceContext(
  options: SourceContext['options'] = {},
  network: Pick<SourceContext, 'timeouts' | 'tls'> = {},
): SourceContext & AsyncDisposable {
  const shared = new Map<string, object>()
  let origins: Origins | undefined
  const context: SourceContext & AsyncDisposable = {
    options,
    ...network,
    origins: async () => (origins ??= createOrigins()),
    shared<T extends object>(key: string, make: () => T): T {
      const one = (shared.get(key) as T | undefined) ?? make()
      shared.set(key, one)
      return one
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...shared.values()].map((one: Partial<AsyncDisposable>) => one[Symbol.asyncDispose]?.()))
      await origins?.close()
    },
    outside: () => context,
    open: (uri, options) => openSource(uri, { ...context, options }),
  }
  return context
}
