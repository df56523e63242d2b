/**
 * Transfers a batch, for tests that need a process of their own to kill:
 * `node try-transfer.ts local|rsync STATE ITEMS [PROGRAM]`, both as JSON. Prints the bytes that were moved, a line each time, then
 * the state as JSON.
 */
import { createCopyMethod } from '../../src/methods/copy.ts'
import { createRsyncMethod } from '../../src/methods/rsync.ts'

const [kind = '', state = '', items = '', program = 'rsync'] = process.argv.slice(2)
const method = kind === 'local' ? createCopyMethod() : createRsyncMethod({ program })
const onProgress = (bytes: number) => console.log(bytes)
console.log(JSON.stringify(await method.transfer(JSON.parse(items), { state: JSON.parse(state), onProgress })))
