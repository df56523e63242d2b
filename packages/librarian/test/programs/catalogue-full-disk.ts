/** Fills the disk under a SQLite catalogue, then makes room again; prints what became of its writes, one word a line. */
import { writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { openSqliteCatalogue } from '../../src/catalogue/sqlite/catalogue.ts'
import { type TrialCatalogue, trialOperations } from '../trial-operations.ts'

const [directory = ''] = process.argv.slice(2)
const filler = join(directory, 'filler')
const path = join(directory, 'catalogue.sqlite')
await using catalogue = (await openSqliteCatalogue({ path, operations: trialOperations })) as TrialCatalogue
const write = (key: string, size: number) =>
  catalogue.trial
    .write(`INSERT INTO setting (key, value) VALUES ('${key}', hex(zeroblob(${size})))`)
    .then(() => 'written')
    .catch(error => error.code)

console.log(await write('before', 10))
fill()
console.log(await write('too large', 400_000))
await rm(filler)
console.log(await write('after', 10))
const keys = await catalogue.trial.read('SELECT key FROM setting ORDER BY key')
console.log(keys.map(({ key }) => key).join('+'))
console.log((await catalogue.check()).length)

function fill(): void {
  for (let size = 1 << 20; size >= 4096; size /= 2) {
    try {
      for (;;) writeFileSync(filler, Buffer.alloc(size), { flag: 'a' })
    } catch {
      // Full for this size; smaller ones may still fit.
    }
  }
}
