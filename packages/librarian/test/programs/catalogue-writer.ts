/**
 * Writes files into a SQLite catalogue, eight at once, and prints each name when its write was acknowledged, until it is killed.
 *
 *     node --conditions=source catalogue-writer.ts PATH PREFIX
 */
import { writeSync } from 'node:fs'
import { openSqliteCatalogue } from '../../src/catalogue/sqlite/catalogue.ts'
import { insertFile } from '../catalogue-rows.ts'
import { type TrialCatalogue, trialOperations } from '../trial-operations.ts'

const [path = '', prefix = ''] = process.argv.slice(2)
const catalogue = (await openSqliteCatalogue({ path, operations: trialOperations })) as TrialCatalogue
writeSync(1, 'open\n')
for (let writer = 0; writer < 8; writer++) void write(writer)

async function write(writer: number): Promise<void> {
  for (let n = 0; ; n++) {
    const name = `${prefix}/${writer}/${n}`
    await catalogue.trial.write(insertFile(name))
    writeSync(1, `${name}\n`)
  }
}
