/**
 * Serves the built pages with made data until it is interrupted:
 *
 *     npm run build --workspace packages/dashboard
 *     node --conditions=source packages/dashboard/test/stand-in/serve.ts [--port 8080] [--delay 300] [--silent]
 */
import { parseArgs } from 'node:util'
import { startStandIn } from './server.ts'

const { values } = parseArgs({
  options: { port: { type: 'string' }, delay: { type: 'string' }, silent: { type: 'boolean' } },
})
const { url } = await startStandIn({
  port: Number(values.port ?? 0),
  delayMs: Number(values.delay ?? 0),
  isLive: !values.silent,
})
console.log(`${url}/dashboard/   (ada, ada: an administrator · bo, bo: one who may only look)`)
