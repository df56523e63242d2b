import { expect } from 'vitest'
import { createEngine, type DownloadOptions, download } from '../../src/index.ts'
import type { FaultResource, FaultServer } from '../fault-server.ts'
import { namesIn, type Setting } from './setting.ts'

/**
 * A run that is stopped when about half has come, as by Ctrl-C: leaves NAME.part with its journal. Its engine is one of
 * its own, as another process's would be.
 */
export async function leaveHalf(
  server: FaultServer,
  served: FaultResource,
  { path, directory }: Setting,
  options: DownloadOptions = {},
): Promise<{ readonly sent: number }> {
  const stop = new AbortController()
  // Not so fast that all of it has landed before it can be stopped.
  const engine = createEngine({ limitRate: 16 << 20 })
  let landed = 0
  const hooks = {
    onChunk({ bytes }: { readonly bytes: Uint8Array }) {
      landed += bytes.length
      if (landed > 6_000_000) stop.abort(new Error('stopped on purpose'))
    },
  }
  const before = server.sent
  await expect(download(served.url, path('data'), { ...options, engine, hooks, signal: stop.signal })).rejects.toThrow(
    'stopped on purpose',
  )
  await engine.close()
  expect(await namesIn(directory)).toEqual(['data.part', 'data.part.journal'])
  return { sent: server.sent - before }
}
