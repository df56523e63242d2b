/**
 * Commits what it finds staged, and prints a line for each file that it was told is durable. For tests that kill it, let it
 * run into a full disk, or start many of it.
 *
 *     node commit-files.ts ROOT STAGING < lines of {id, token, origin, size, checksum, name}
 */
import { createInterface } from 'node:readline'
import { openStore } from '../../src/stores/open-store.ts'
import type { Publication, Work } from '../../src/stores/store.ts'

const [root, staging] = process.argv.slice(2)
const store = await openStore({
  name: 'one',
  type: 'local',
  data: { store_path: root, staging_path: staging, reserve: 0 },
})
await store.state()
console.log('ready')

for await (const line of createInterface({ input: process.stdin })) {
  const works = JSON.parse(line) as (Work & { name: string })[]
  const prepared = await store.prepare(works)
  const publications: Publication[] = prepared.flatMap((outcome, index) => {
    const { id, token, name } = works[index]!
    if (!outcome.ok) console.log(JSON.stringify({ id, name, error: outcome.error.code }))
    return outcome.ok ? [{ id, token, name, ...outcome.value }] : []
  })
  for (const [index, outcome] of (await store.publish(publications)).entries()) {
    const { id, name } = publications[index]!
    console.log(JSON.stringify(outcome.ok ? { id, name } : { id, name, error: outcome.error.code }))
  }
  await store.settle(works.map(({ id }) => id))
}
await store[Symbol.asyncDispose]()
