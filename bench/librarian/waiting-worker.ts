/**
 * A process of the task engine on PostgreSQL whose every piece of work waits, one after the other; tells its parent of each.
 *
 *     fork('waiting-worker.ts', [URL, QUEUE, WAIT_MS])
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { PgBossEngine } from '../../packages/librarian/src/engine/pg-boss.ts'
import { silentLog } from '../../packages/librarian/src/log.ts'

const [url = '', queue = '', waitMs = ''] = process.argv.slice(2)
const ending = new AbortController()
process.once('disconnect', () => ending.abort(new Error('its parent has ended')))
process.once('message', () => ending.abort(new Error('it is asked to end')))

await using engine = new PgBossEngine({ url, log: silentLog })
await engine.handle(queue, async key => {
  await sleep(Number(waitMs))
  process.send?.(key)
  return undefined
})
await engine.work(ending.signal)
if (process.connected) process.disconnect()
