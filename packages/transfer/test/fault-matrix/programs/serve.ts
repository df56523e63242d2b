/** A fault server in a process of its own: every name is there. Messages: `report` is answered with its counters. */
import { startFaultServer } from '../../fault-server.ts'

const server = await startFaultServer()
server.fallback({ size: Number(process.argv[2]) })
process.on('message', () => {
  process.send?.({ connections: server.connections.length, requests: server.requests.length })
})
process.on('disconnect', () => process.exit())
process.send?.({ origin: server.origin })
