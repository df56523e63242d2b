import type { NetworkCounters } from './counters.ts'

/** `/proc/net/dev`: all interfaces together, loopback included, as in the reference. */
export function parseNetwork(text: string): NetworkCounters | undefined {
  let [sentBytes, receivedBytes, found] = [0, 0, false]
  for (const line of text.split('\n')) {
    // Names may hold colons (an alias), figures never do; a long figure may follow the colon at once.
    const colon = line.lastIndexOf(':')
    if (colon < 0) continue
    const figures = line
      .slice(colon + 1)
      .trim()
      .split(/\s+/)
    const [received, sent] = [Number(figures[0]), Number(figures[8])]
    if (!Number.isFinite(received) || !Number.isFinite(sent)) continue
    receivedBytes += received
    sentBytes += sent
    found = true
  }
  return found ? { sentBytes, receivedBytes } : undefined
}
