import { readFile } from 'node:fs/promises'

/**
 * Counts connections to the servers while something runs. Only for runs whose time does not count: reading the
 * kernel's table costs a little.
 */
export function watchConnections(ports: ReadonlySet<number>): { peak(): number; stop(): void } {
  let peak = 0
  const timer = setInterval(async () => {
    peak = Math.max(peak, await count(ports))
  }, 100)
  return {
    peak: () => peak,
    stop: () => clearInterval(timer),
  }
}

async function count(ports: ReadonlySet<number>): Promise<number> {
  // Node's sockets may be IPv6 sockets that carry IPv4.
  const tables = await Promise.all(
    ['/proc/net/tcp', '/proc/net/tcp6'].map(file => readFile(file, 'utf8').catch(() => '')),
  )
  return tables
    .join('\n')
    .split('\n')
    .filter(line => isEstablishedTo(line.trim().split(/\s+/), ports)).length
}

function isEstablishedTo([, , remote, state]: string[], ports: ReadonlySet<number>): boolean {
  return state === '01' && ports.has(Number.parseInt(remote?.split(':')[1] ?? '', 16))
}
