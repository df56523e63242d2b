import { createReadStream, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseManifest, type Row } from '@arriero/transfer'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openRetryManifest } from './retry-manifest.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'arriero-retry-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

test.each([
  ['a commons', 'dg.1/ab', 'drs://host.org/dg.1%2Fab'],
  ['the GDC', 'b96018c5-db06-4af8-a195-28e339ba815e', 'gdc:b96018c5-db06-4af8-a195-28e339ba815e'],
])('a row of %s that failed names the same object in the next run', async (_, id, uri) => {
  const path = join(directory, 'failed.json')
  const retry = openRetryManifest(path, directory, { keepsNames: true, mayRemove: true })
  const md5 = { algorithm: 'md5', value: '0'.repeat(32) } as const
  const entry = { index: 0, id, uris: [uri], path: 'a', size: 5, checksums: [md5] }
  const outcome = { index: 0, ok: false, status: 'failed', verified: false, path: join(directory, 'x/a') } as const
  retry.add({ entry, outcome })
  retry.close({ isTold: true, isWhole: true })
  const rows: Row[] = []
  for await (const batch of parseManifest(createReadStream(path))) rows.push(...batch)
  expect(rows).toMatchObject([{ uris: [uri], path: 'x/a', size: 5, checksums: [md5] }])
})
