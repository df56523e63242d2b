/** Asks a librarian for next to nothing, on a connection of its own. */
import { get as getPlain } from 'node:http'
import { get as getSecure } from 'node:https'

/** Resolves when it, or whoever stands before it, has answered, whatever that was. */
export async function probe(address: string, signal: AbortSignal): Promise<void> {
  const get = address.startsWith('https:') ? getSecure : getPlain
  await new Promise<void>((resolve, reject) => {
    // No agent: an old connection may lead nowhere.
    const request = get(`${address}/health/live`, { agent: false, signal, timeout: PROBE_MS }, response => {
      resolve()
      response.destroy()
    })
    request.on('error', reject)
    request.on('timeout', () => request.destroy(new Error(`nothing came for ${PROBE_MS} ms`)))
  })
}

const PROBE_MS = 30_000
