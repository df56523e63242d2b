/**
 * Does the work of a task engine and prints what it does. For tests that kill it, stop it, or start many of it.
 *
 *     node engine-worker.ts embedded|pg-boss URL        (SIGTERM stops it)
 *
 * Keys of the queue `suite` say what to do: `quick…` is done at once, `hang…` goes on until it is told to end, `fail…` fails.
 */
import { openCatalogue } from '../../src/catalogue/open.ts'
import { systemClock } from '../../src/clock.ts'
import { EmbeddedEngine } from '../../src/engine/embedded.ts'
import type { TaskEngine } from '../../src/engine/engine.ts'
import { PgBossEngine } from '../../src/engine/pg-boss.ts'
import { silentLog } from '../../src/log.ts'

const [kind, url = ''] = process.argv.slice(2)
const tell = (what: string, key: string) => console.log(`${what} ${key}`)
const ending = new AbortController()
process.once('SIGTERM', () => ending.abort(new Error('SIGTERM')))

await using catalogue = kind === 'embedded' ? await openCatalogue({ url }) : undefined
await using engine: TaskEngine = catalogue
  ? new EmbeddedEngine({ catalogue, clock: systemClock, log: silentLog, lookMs: 500 })
  : new PgBossEngine({ url, log: silentLog })
await engine.handle(
  'suite',
  async (key, { signal }) => {
    tell('begins', key)
    if (key.startsWith('fail')) throw new Error('it fails')
    if (key.startsWith('hang') && !signal.aborted)
      await new Promise(resolve => signal.addEventListener('abort', resolve))
    if (signal.aborted) {
      tell('aborted', key)
      throw signal.reason
    }
    tell('ends', key)
    return undefined
  },
  { atOnce: 2, heartbeatSeconds: 20 },
)
console.log('ready')
await engine.work(ending.signal)
