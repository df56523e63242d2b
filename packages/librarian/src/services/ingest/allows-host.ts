import type { IngestSettings } from '../../config.ts'

/** Whether users may have something fetched from a host. Names are compared as they are: one with a dot at its end is another. */
export function allowsHost(
  { hosts, ports }: Pick<IngestSettings, 'hosts' | 'ports'>,
  host: string,
  port: number,
): boolean {
  return ports.includes(port) && isAmong(hosts, host)
}

/** Exact names, and `*.` for everything below one. */
export function isAmong(hosts: readonly string[], host: string): boolean {
  const name = host.toLowerCase()
  return hosts.some(allowed => (allowed.startsWith('*.') ? name.endsWith(allowed.slice(1)) : name === allowed))
}
