import { createServer } from 'node:net'

/**
 * Ports that were free a moment ago, chosen by the operating system and all different: they are held together until
 * the last is found. Somebody else may still take one before it is used, so whoever asks must be ready to ask again.
 */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, listen))
  const ports = servers.map(server => (server.address() as { port: number }).port)
  await Promise.all(servers.map(server => new Promise(closed => server.close(closed))))
  return ports
}

function listen() {
  const server = createServer()
  return new Promise<typeof server>((resolve, reject) => {
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => resolve(server))
  })
}
