/**
 * Downloads and says how it ended, for tests that need a process of their own:
 * `node try-download.ts SOURCE TARGET [OPTIONS as JSON]`, and `transform` for a size that only the end tells. Prints a
 * line when bytes are landing, then the outcome as JSON.
 */
import { readdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { download, TransferError } from '../../src/index.ts'

const [source = '', target = '', options = '{}', mode = ''] = process.argv.slice(2)

async function* unchanged(bytes: AsyncIterable<Uint8Array>) {
  yield* bytes
}

let hasBegun = false
const hooks = {
  async onChunk() {
    if (!hasBegun) console.log('landing')
    hasBegun = true
    if (mode === 'stall') await new Promise(resolve => setTimeout(resolve, 1e9))
  },
  ...(mode === 'transform' ? { transform: unchanged } : {}),
}

const outcome = await download(source, target, { ...JSON.parse(options), hooks }).then(
  ({ bytes, resumedBytes }) => ({ bytes, resumedBytes }),
  error => (error instanceof TransferError ? { code: error.code, message: error.message } : { other: String(error) }),
)
console.log(JSON.stringify({ ...outcome, names: readdirSync(dirname(target)).toSorted() }))
