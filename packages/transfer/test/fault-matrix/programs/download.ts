/** A process that downloads one file and says what came of it: `node download.ts URL TARGET OPTIONS`; `memoryBudget` is the engine's. */
import { createEngine, download, TransferError } from '../../../src/index.ts'

const [url, target, options = '{}'] = process.argv.slice(2) as [string, string, string?]
const { memoryBudget, ...how } = JSON.parse(options)
const engine = createEngine({ memoryBudget })
process.stdout.write('started\n')
// Pipes are written at once: what was said last was true when this process was killed.
const telling = setInterval(() => process.stdout.write(`landed ${engine.progress.received}\n`), 5)
try {
  const { resumedBytes, networkBytes } = await download(url, target, { ...how, engine })
  process.stdout.write(`${JSON.stringify({ code: 'ok', resumedBytes, networkBytes })}\n`)
} catch (error) {
  const { code, message, details } = error as TransferError
  const isOurs = error instanceof TransferError
  process.stdout.write(
    `${JSON.stringify({ code: isOurs ? code : 'other', message, needed: details?.needed, free: details?.free })}\n`,
  )
} finally {
  clearInterval(telling)
  await engine.close()
}
