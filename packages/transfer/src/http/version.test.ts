import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { arrieroVersion } from './version.ts'

test('arrieroVersion is the version of the package', () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  expect(arrieroVersion).toBe(version)
})
